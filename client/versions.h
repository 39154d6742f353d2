#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace anybit {

/// Why none of the versions that are held is the one of this name; names of 0 are left out.
std::string no_such_version(std::initializer_list<std::uint32_t> held, std::uint32_t name);

/// The rules by which what a client keeps comes in versions, wherever the values lie (DESIGN D8): the one that the
/// server counts on; the one that its last update made, of which nobody knows yet whether it counts; and the one that
/// the server counted on before. `Values` made of nothing are zeros.
///
/// A version is named by the round that made it: 1 + TaskId::round; 0 is the beginning, zeros, which everybody has.
/// Within one history of checkpoints no name is used again, as no task's is. A server that goes back makes tasks of the
/// same names from other parameters, but no two versions of a name are mixed up: only an update of the new task makes
/// its name count. That task first settled the state to its `counted`, which is older and forgot the old version of the
/// name, and then its proposal took the name.
template <class Values>
class Versions {
 public:
  struct Version {
    std::uint32_t name = 0;
    Values values;
    bool operator==(const Version&) const = default;
  };

  Versions() = default;
  /// As they were saved.
  Versions(Version current, std::optional<Version> pending, Version previous)
      : current_(std::move(current)), pending_(std::move(pending)), previous_(std::move(previous)) {}

  /// Whether one of its versions is this one.
  bool has(std::uint32_t name) const {
    return name == 0 || name == current_.name || name == previous_.name || (pending_ && pending_->name == name);
  }
  /// The words for one that is not.
  std::string lacks(std::uint32_t name) const {
    return no_such_version({previous_.name, current_.name, pending_ ? pending_->name : 0}, name);
  }

  /// A task counts on this version: it is current from now on. Pending that becomes current leaves the current one as
  /// the previous one; where the current one stays, so does the previous one; whatever else there is is forgotten.
  /// Returns "", or why it cannot be, and all is as before.
  std::string settle(std::uint32_t name) {
    if (!has(name)) return lacks(name);
    if (pending_ && pending_->name == name) {
      previous_ = std::exchange(current_, std::move(*pending_));
    } else if (current_.name != name) {
      current_ = name == 0 ? Version{} : std::move(previous_);
      previous_ = {};
    }
    pending_.reset();
    return "";
  }
  void forget_previous() { previous_ = {}; }
  /// Zeros in place of a version that is lost; whatever else there is is forgotten.
  void start_afresh(std::uint32_t name) {
    current_ = {name, {}};
    pending_.reset();
    previous_ = {};
  }

  const Version& current() const { return current_; }
  const std::optional<Version>& pending() const { return pending_; }
  /// The beginning where there is none.
  const Version& previous() const { return previous_; }

 protected:
  /// The version that the update to the task of `round` makes, for its values to be written: those of an earlier
  /// proposal, or none yet.
  Values& proposal(std::uint32_t round) {
    if (!pending_) pending_.emplace();
    pending_->name = round + 1;
    return pending_->values;
  }

 private:
  Version current_;
  std::optional<Version> pending_;
  Version previous_;
};

}  // namespace anybit
