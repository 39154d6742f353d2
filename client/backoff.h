#pragma once

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace anybit {

/// How long a client waits before it tries its server again: twice as long each time, and a random part of it, so that
/// a thousand clients of a server that comes back do not come at once. Nothing of it reaches a result.
class Backoff {
 public:
  using Time = std::chrono::milliseconds;

  Backoff(Time first, Time longest) : first_(first), longest_(longest) { reset(); }

  /// Half to all of the time that is due. Where the server asked for a time itself (`hint`), that and half of it at
  /// least, twice it at most; what is due stays as it was, for the server is there.
  Time next(Time hint = Time{0}) {
    if (hint.count() > 0) return hint + part_of(hint);
    return part_of(std::exchange(time_, std::min(2 * time_, longest_)));
  }
  void reset() { time_ = first_; }

 private:
  Time part_of(Time time) {
    std::uniform_real_distribution<double> part(0.5, 1.0);
    return Time(static_cast<Time::rep>(static_cast<double>(time.count()) * part(random_)));
  }

  Time first_;
  Time longest_;
  Time time_{};
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace anybit
