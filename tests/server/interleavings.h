#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/small_federation.h"

namespace anybit {

/// Every order in which what is possible can happen: each schedule is played from its beginning, by the numbers of its
/// choices.
class Interleavings {
 public:
  /// Calls play() for one schedule after the other, which returns its fault, "" for none. The number of schedules,
  /// fewer than all where one has a fault, and that.
  template <class Play>
  std::pair<long, std::string> walk(const Play& play) {
    long count = 0;
    std::string fault;
    do {
      fault = play();
      ++count;
    } while (fault.empty() && advance());
    return {count, fault};
  }

  /// Takes away what happens in this step of the schedule.
  template <class Event>
  Event choose(std::size_t step, std::vector<Event>& possible) {
    if (step == path_.size()) path_.push_back({0, possible.size()});
    const auto chosen = possible.begin() + static_cast<std::ptrdiff_t>(path_[step].chosen);
    const Event event = *chosen;
    possible.erase(chosen);
    return event;
  }

 private:
  struct Choice {
    std::size_t chosen = 0;
    std::size_t of = 0;
  };

  bool advance() {
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().of) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().chosen;
    return true;
  }

  std::vector<Choice> path_;
};

/// Walks the interleavings of each story, which Telling(federation, story).play(interleavings) plays, up to the first
/// fault.
template <class Telling, class Story>
std::pair<long, std::string> walk_stories(const SmallFederation& federation, const std::vector<Story>& stories) {
  long walked = 0;
  for (const Story& story : stories) {
    Telling telling(federation, story);
    Interleavings interleavings;
    const auto [count, fault] = interleavings.walk([&] { return telling.play(interleavings); });
    walked += count;
    if (!fault.empty()) return {walked, fault};
  }
  return {walked, ""};
}

}  // namespace anybit
