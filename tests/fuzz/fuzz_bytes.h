#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace anybit {

/// What a fuzzer made up, taken piece by piece; zeros and nothing behind its end.
class FuzzBytes {
 public:
  FuzzBytes(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const std::span<const std::uint8_t> one = take(1);
    return one.empty() ? std::uint8_t{0} : one[0];
  }
  std::span<const std::uint8_t> take(std::size_t most) {
    const std::span<const std::uint8_t> taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::uint8_t> rest() { return take(rest_.size()); }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace anybit
