#include "server/checkpoint_tasks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <set>

#include "wire/message.h"

namespace anybit {

DownlinkHead head_of(const Downlink& downlink) { return {downlink.version, downlink.digest, downlink.bytes->size()}; }

bool take_downlinks(std::span<const std::uint8_t> bytes, FederationState& state) {
  while (!bytes.empty()) {
    DownlinkHead head;
    if (bytes.size() < sizeof head) return false;
    std::memcpy(&head, bytes.data(), sizeof head);
    bytes = bytes.subspan(sizeof head);
    if (head.bytes > bytes.size()) return false;
    auto own = std::make_shared<Bytes>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head.bytes));
    bytes = bytes.subspan(head.bytes);
    if (crc32c(*own) != head.digest) return false;
    if (!state.downlinks.empty() && state.downlinks.back().version >= head.version) return false;
    state.downlinks.push_back({head.version, head.digest, std::move(own)});
  }
  return true;
}

bool tasks_can_be(const FederationState& state) {
  const auto can_be = [&](const TaskInFlight& task) {
    return task.number < state.tasks && task.version <= state.version && std::isfinite(task.since) &&
           std::isfinite(task.delay) && task.delay >= 0 &&
           std::ranges::find(state.downlinks, task.version, &Downlink::version) != state.downlinks.end();
  };
  std::set<std::uint32_t> numbers;
  for (const TaskInFlight& task : state.in_flight) numbers.insert(task.number);
  const std::ranges::greater_equal out_of_order;
  return numbers.size() == state.in_flight.size() && std::ranges::all_of(state.in_flight, can_be) &&
         std::ranges::adjacent_find(state.in_flight, out_of_order, &TaskInFlight::client) == state.in_flight.end();
}

}  // namespace anybit
