#include "sim/event_queue.h"

#include <cassert>
#include <utility>

namespace anybit {

void EventQueue::push(DueAnswer due) {
  const std::uint32_t client = due.client;
  const auto [place, is_new] = answers_.emplace(key(due), std::move(due));
  [[maybe_unused]] const bool is_first = by_client_.emplace(client, place).second;
  assert(is_new && is_first);
}

void EventQueue::move(DueAnswer& due, double time) {
  if (due.time == time) return;
  const auto known = by_client_.find(due.client);
  auto node = answers_.extract(known->second);
  node.mapped().time = time;
  node.key() = key(node.mapped());
  known->second = answers_.insert(std::move(node)).position;
}

std::optional<DueAnswer> EventQueue::take(std::uint32_t client) {
  const auto known = by_client_.find(client);
  if (known == by_client_.end()) return std::nullopt;
  DueAnswer due = std::move(known->second->second);
  answers_.erase(known->second);
  by_client_.erase(known);
  return due;
}

DueAnswer EventQueue::pop() { return *take(front().client); }

void EventQueue::next_unplayed(std::size_t most, std::vector<DueAnswer*>& wave) {
  wave.clear();
  for (auto next = answers_.begin(); next != answers_.end() && most > 0; ++next, --most)
    if (!next->second.played) wave.push_back(&next->second);
}

}  // namespace anybit
