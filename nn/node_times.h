#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace anybit {

/// Seconds that a workspace's passes took, by node; a node that was fused into the one before it stays at 0.
struct NodeTimes {
  std::vector<double> forward;
  std::vector<double> backward;
  double slots = 0;  // what quantization did to weights and activations
  double loss = 0;
  std::uint64_t steps = 0;     // gradients taken
  std::uint64_t examples = 0;  // live ones of those

  explicit NodeTimes(std::size_t nodes) : forward(nodes), backward(nodes) {}
};

/// Adds the seconds of its own life to `sum`; reads no clock where nobody asks.
class Stopwatch {
 public:
  explicit Stopwatch(double* sum) : sum_(sum) {
    if (sum_ != nullptr) begin_ = Clock::now();
  }
  ~Stopwatch() {
    if (sum_ != nullptr) *sum_ += std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double* sum_;
  Clock::time_point begin_;
};

}  // namespace anybit
