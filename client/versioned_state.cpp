#include "client/versioned_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <initializer_list>
#include <utility>

namespace anybit {
namespace {

/// Of versions from the oldest on; 0: there is none.
std::string held_text(std::initializer_list<std::uint32_t> names) {
  std::string text;
  for (const std::uint32_t name : names)
    if (name != 0) text += fmt::format("{}{}", text.empty() ? "its state is of round " : " or ", name);
  return text.empty() ? "it has no state" : text;
}

}  // namespace

VersionedState::VersionedState(Version current, std::optional<Version> pending, Version previous)
    : current_(std::move(current)), pending_(std::move(pending)), previous_(std::move(previous)) {}

bool VersionedState::has(std::uint32_t name) const {
  return name == 0 || name == current_.name || name == previous_.name || (pending_ && pending_->name == name);
}

std::string VersionedState::lacks(std::uint32_t name) const {
  return fmt::format("{}, the server counts on that of round {}",
                     held_text({previous_.name, current_.name, pending_ ? pending_->name : 0}), name);
}

std::string VersionedState::settle(std::uint32_t name) {
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

void VersionedState::start_afresh(std::uint32_t name) {
  current_ = {name, {}};
  pending_.reset();
  previous_ = {};
}

void VersionedState::copy_current(std::span<float> values) const {
  assert(current_.values.empty() || current_.values.size() == values.size());
  if (current_.values.empty())
    std::ranges::fill(values, 0.0F);
  else
    std::ranges::copy(current_.values, values.begin());
}

void VersionedState::propose(std::uint32_t round, std::span<const float> values) {
  if (!pending_) pending_.emplace();
  pending_->name = round + 1;
  pending_->values.assign(values.begin(), values.end());
}

}  // namespace anybit
