#include "client/versioned_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace anybit {
namespace {

std::string held_text(std::uint32_t current, std::uint32_t pending) {
  if (current == 0 && pending == 0) return "it has no state";
  if (current == 0 || pending == 0) return fmt::format("its state is of round {}", std::max(current, pending));
  return fmt::format("its state is of round {} or {}", current, pending);
}

}  // namespace

VersionedState::VersionedState(Version current, std::optional<Version> pending)
    : current_(std::move(current)), pending_(std::move(pending)) {}

bool VersionedState::has(std::uint32_t name) const {
  return name == 0 || name == current_.name || (pending_ && pending_->name == name);
}

std::string VersionedState::lacks(std::uint32_t name) const {
  return fmt::format("{}, the server counts on that of round {}",
                     held_text(current_.name, pending_ ? pending_->name : 0), name);
}

std::string VersionedState::settle(std::uint32_t name) {
  if (!has(name)) return lacks(name);
  if (pending_ && pending_->name == name) {
    current_ = std::move(*pending_);
  } else if (current_.name != name) {
    current_ = {};
  }
  pending_.reset();
  return "";
}

void VersionedState::start_afresh(std::uint32_t name) {
  current_ = {name, {}};
  pending_.reset();
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
