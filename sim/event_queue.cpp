#include "sim/event_queue.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace anybit {
namespace {

bool earlier(const DueAnswer& a, const DueAnswer& b) { return std::tie(a.time, a.client) < std::tie(b.time, b.client); }

}  // namespace

void EventQueue::push(DueAnswer due) {
  const auto first = answers_.begin() + static_cast<std::ptrdiff_t>(head_);
  // Tasks of a round come in client order, so this is nearly always the end.
  const auto place = first == answers_.end() || !earlier(due, answers_.back())
                         ? answers_.end()
                         : std::upper_bound(first, answers_.end(), due, earlier);
  answers_.insert(place, std::move(due));
}

void EventQueue::pop() {
  answers_[head_] = {};
  ++head_;
  if (head_ != answers_.size()) return;
  answers_.clear();
  head_ = 0;
}

std::vector<DueAnswer> EventQueue::take_round(std::uint32_t round) {
  std::vector<DueAnswer> taken;
  const auto first = answers_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto rest = std::stable_partition(first, answers_.end(), [&](const auto& due) { return due.round() != round; });
  std::move(rest, answers_.end(), std::back_inserter(taken));
  answers_.erase(rest, answers_.end());
  return taken;
}

void EventQueue::next_unplayed(std::size_t most, std::vector<DueAnswer*>& wave) {
  wave.clear();
  for (std::size_t i = head_; i < answers_.size() && wave.size() < most; ++i)
    if (!answers_[i].played) wave.push_back(&answers_[i]);
}

}  // namespace anybit
