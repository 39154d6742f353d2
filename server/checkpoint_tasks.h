#pragma once

#include <cstdint>
#include <span>

#include "server/coordinator.h"

namespace anybit {

// What a checkpoint says of the tasks that wait for answers while versions go by.

/// Before the bytes of each downlink.
struct DownlinkHead {
  std::uint32_t version = 0;
  std::uint32_t digest = 0;
  std::uint64_t bytes = 0;
};
static_assert(sizeof(DownlinkHead) == 16, "no padding");

DownlinkHead head_of(const Downlink& downlink);

/// Takes the downlinks apart; false where they are not whole, not in order, or not what their digests say.
bool take_downlinks(std::span<const std::uint8_t> bytes, FederationState& state);

/// Whether every task in flight is one that was given, once, from a version that is there, at a time that there is;
/// ascending by client, who has no second one.
bool tasks_can_be(const FederationState& state);

}  // namespace anybit
