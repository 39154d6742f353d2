#include "nn/random.h"

#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53U;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

/// SplitMix64's finaliser (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// The fills work on kLanes blocks at once.
constexpr std::size_t kGroup = Stream::kFillGroup;
constexpr std::size_t kLanes = kGroup / 4;
constexpr std::uint64_t kFillBlocks = 1ULL << 63U;

struct LaneBlocks {
  std::array<std::array<std::uint32_t, kLanes>, 4> words;
};

/// Blocks first to first + kLanes - 1 of one stream: words[w][l] is word w of block first + l; the lower half of the
/// counter must not wrap among them. The multipliers are arguments of a function that is not inlined because the
/// compiler turns a multiplication by known constants into shifts and additions, which is slower than the vector
/// multiplication of 32 by 32 bits.
[[gnu::noinline]] void lane_blocks(std::uint64_t first, std::array<std::uint32_t, 2> high,
                                   std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 2> multipliers,
                                   LaneBlocks& out) {
  for (std::size_t l = 0; l < kLanes; ++l) {
    std::uint32_t c0 = static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(l);
    auto c1 = static_cast<std::uint32_t>(first >> 32U);
    std::uint32_t c2 = high[0];
    std::uint32_t c3 = high[1];
    std::uint32_t k0 = key[0];
    std::uint32_t k1 = key[1];
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t p0 = static_cast<std::uint64_t>(c0) * multipliers[0];
      const std::uint64_t p1 = static_cast<std::uint64_t>(c2) * multipliers[1];
      c0 = static_cast<std::uint32_t>(p1 >> 32U) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32U) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
      k0 += kWeyl0;
      k1 += kWeyl1;
    }
    out.words[0][l] = c0;
    out.words[1][l] = c1;
    out.words[2][l] = c2;
    out.words[3][l] = c3;
  }
}

}  // namespace

std::array<std::uint32_t, 4> Stream::block(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(counter[0]) * kMultiplier0;
    const std::uint64_t p1 = static_cast<std::uint64_t>(counter[2]) * kMultiplier1;
    counter = {static_cast<std::uint32_t>(p1 >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Stream::Stream(const DrawName& name) : high_counter_{name.round, name.step} {
  const std::uint64_t what = (static_cast<std::uint64_t>(name.purpose) << 32U) | name.layer;
  const std::uint64_t key = mix(mix(mix(name.seed) ^ what) ^ name.client);
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)};
}

std::uint32_t Stream::bits() {
  if (left_ == 0) {
    buffer_ = block({static_cast<std::uint32_t>(next_block_), static_cast<std::uint32_t>(next_block_ >> 32U),
                     high_counter_[0], high_counter_[1]},
                    key_);
    ++next_block_;
    left_ = 4;
  }
  return buffer_[static_cast<std::size_t>(4 - left_--)];
}

void Stream::next_bits(std::span<std::uint32_t> out) {
  std::size_t done = 0;
  while (done < out.size() && left_ > 0) out[done++] = bits();
  LaneBlocks blocks;
  while (out.size() - done >= kGroup && static_cast<std::uint32_t>(next_block_) <= 0xFFFFFFFFU - kLanes) {
    lane_blocks(next_block_, high_counter_, key_, {kMultiplier0, kMultiplier1}, blocks);
    for (std::size_t l = 0; l < kLanes; ++l)
      for (std::size_t w = 0; w < 4; ++w) out[done + 4 * l + w] = blocks.words[w][l];
    next_block_ += kLanes;
    done += kGroup;
  }
  while (done < out.size()) out[done++] = bits();
}

std::uint64_t Stream::bits64() {
  const std::uint64_t high = bits();
  return (high << 32U) | bits();
}

double Stream::uniform() { return static_cast<double>(bits64() >> 11U) * 0x1p-53; }

std::uint32_t Stream::below(std::uint32_t bound) {
  // Lemire, Fast random integer generation in an interval, 2019: reject the low parts that would favour some values.
  std::uint64_t product = static_cast<std::uint64_t>(bits()) * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) product = static_cast<std::uint64_t>(bits()) * bound;
  }
  return static_cast<std::uint32_t>(product >> 32U);
}

double Stream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * fixed_log(1.0 - uniform()));  // 1 - u is in (0, 1]
  const double turn = uniform();
  spare_normal_ = radius * fixed_sin2pi(turn);
  has_spare_ = true;
  return radius * fixed_cos2pi(turn);
}

double Stream::gamma(double shape) {
  // Below shape 1 through Gamma(a) = Gamma(a + 1) U^(1/a) (their section 6). Underflows to 0 for very small shapes.
  if (shape < 1.0) {
    const double larger = gamma(shape + 1.0);
    return larger * fixed_exp(fixed_log(1.0 - uniform()) / shape);
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (fixed_log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * fixed_log(v)) return d * v;
  }
}

void Stream::fill_uniform(std::span<float> out, float low, float high) const {
  const float scale = (high - low) * 0x1p-24F;
  const float last = std::nextafter(high, low);  // rounding must not reach `high`
  LaneBlocks blocks;
  std::array<float, kGroup> group;
  for (std::size_t start = 0; start < out.size(); start += kGroup) {
    lane_blocks(kFillBlocks + start / 4, high_counter_, key_, {kMultiplier0, kMultiplier1}, blocks);
    for (std::size_t w = 0; w < 4; ++w) {
      for (std::size_t l = 0; l < kLanes; ++l) {
        const auto whole = static_cast<std::int32_t>(blocks.words[w][l] >> 8U);
        const float value = low + static_cast<float>(whole) * scale;
        group[w * kLanes + l] = value < high ? value : last;
      }
    }
    const std::size_t count = std::min(kGroup, out.size() - start);
    std::copy_n(group.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(start));
  }
}

void Stream::fill_bits(std::span<std::uint32_t> out, std::uint64_t first) const {
  LaneBlocks blocks;
  for (std::size_t start = 0; start < out.size(); start += kGroup) {
    lane_blocks(kFillBlocks + (first + start) / 4, high_counter_, key_, {kMultiplier0, kMultiplier1}, blocks);
    for (std::size_t i = 0; i < std::min(kGroup, out.size() - start); ++i)
      out[start + i] = blocks.words[i / kLanes][i % kLanes];
  }
}

}  // namespace anybit
