#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace anybit {

/// What a draw is for. Part of its name, so two purposes never share a stream. Append only: numbers reach results.
enum class Purpose : std::uint32_t {
  kInitialize = 1,
  kPartition = 2,
  kHoldOut = 3,  // the server's proxy and validation shares
  kCohort = 4,
  kShuffle = 5,   // order of a client's examples in an epoch
  kWidths = 6,    // bit schedules
  kNoise = 7,     // pseudo-quantization noise
  kRounding = 8,  // stochastic rounding in a slot
  kCodec = 9,     // stochastic rounding on the wire
  kDropout = 10,
  kWriter = 11,  // the hand of a glyph writer
  kGlyph = 12,   // one drawn example
  kFleet = 13,
  kTest = 14,
  kClientState = 15,  // what a client keeps between its rounds
  kDevice = 16,       // a device's own share of its class's spread
  kAvailability = 17,
  kLink = 18,     // a task's share of the spread of links
  kDropOut = 19,  // whether a task is lost, and when
  kPace = 20,     // when a client comes by
};

/// The full name of a draw (DESIGN D6). Equal names give equal numbers, whatever thread asks, in whatever order.
struct DrawName {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::kTest;
  std::uint32_t round = 0;
  std::uint32_t client = 0;
  std::uint32_t step = 0;
  std::uint32_t layer = 0;
};

/// Counter-based generator: Philox 4x32-10 (Salmon et al., Random numbers: as easy as 1, 2, 3, SC 2011).
/// A value type made where it is used and dropped there; nothing long-lived holds one.
///
/// From name to stream: the upper half of the counter is (round, step), the lower half counts blocks, and the key is
/// m(m(m(seed) ^ (purpose, layer)) ^ client), where m is the finaliser of SplitMix64, a bijection of 64 bits. So names
/// that differ in round or step, or in only one of seed, (purpose, layer) and client, never share a stream; two other
/// names share their key, as of any 64-bit hash, with chance 2^-64.
class Stream {
 public:
  explicit Stream(const DrawName& name);

  std::uint32_t bits();  // 32 uniform bits
  /// out[i] = bits(), for all of them, at several times the speed.
  void next_bits(std::span<std::uint32_t> out);
  std::uint64_t bits64();
  double uniform();                          // [0, 1) on 53 bits
  std::uint32_t below(std::uint32_t bound);  // unbiased, bound >= 1
  double normal();                           // N(0, 1) by Box-Muller on our own log, sin and cos
  double gamma(double shape);                // Gamma(shape, 1), shape > 0 (Marsaglia and Tsang 2000)

  /// out[i] = uniform float in [low, high) on 24 bits. Element i depends on the name and i alone, not on earlier calls
  /// of this stream; the numbers come from blocks of their own (2^63 and up), which the draws above never reach.
  void fill_uniform(std::span<float> out, float low, float high) const;

  /// out[i] = 32 uniform bits. Element i depends on the name and first + i alone; `first` is a multiple of kFillGroup.
  /// The words are those that fill_uniform rounds: use one of the two with a name.
  void fill_bits(std::span<std::uint32_t> out, std::uint64_t first) const;
  static constexpr std::size_t kFillGroup = 64;  // words made at once

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(static_cast<std::uint32_t>(i))]);
  }

  /// The raw block function: 4 words from a 128-bit counter and a 64-bit key (for the published test vectors).
  static std::array<std::uint32_t, 4> block(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> high_counter_;  // upper half of the counter: round and step
  std::uint64_t next_block_ = 0;
  std::array<std::uint32_t, 4> buffer_{};
  int left_ = 0;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace anybit
