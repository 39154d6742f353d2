#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "wire/codecs/bit_packing.h"
#include "wire/codecs/raw_floats.h"
#include "wire/codecs/rows.h"

namespace anybit {
namespace {

constexpr std::size_t kScaleBytes = sizeof(float);
// A multiple of 64, so that each chunk starts at a whole byte whatever the width.
constexpr std::size_t kChunk = 4096;

enum class Rounding { kStochastic, kHalfEven };

/// Weights as integers of `bits` bits on a symmetric grid of one scale per tensor, everything else as floats:
/// scale = max|x| / L, L = 2^(bits-1) - 1, code = round(x / scale) + L in [0, 2L]. Stochastic rounding goes up with the
/// probability of the fraction, so E[decode(encode(x))] = x (QSGD, Alistarh et al. 2017, with the largest magnitude
/// in place of the norm; FedPAQ, Reisizadeh et al. 2020).
class UniformCodec : public Codec {
 public:
  UniformCodec(int bits, Rounding rounding) : bits_(bits), levels_((1 << (bits - 1)) - 1), rounding_(rounding) {}

  std::size_t code_bytes(const TensorSpec& tensor) const override {
    if (tensor.role != Role::kWeight) return tensor.size * sizeof(float);
    return kScaleBytes + packed_bytes(tensor.size, bits_);
  }

  void encode_tensor(const TensorSpec& tensor, std::span<const float> values, const DrawName& draw,
                     Bytes& out) const override {
    if (tensor.role != Role::kWeight) return append_floats(values, out);
    const std::size_t at = out.size();
    out.resize(at + code_bytes(tensor));
    encode_weight(values, draw, out.data() + at);
  }

  std::string decode_block(const TensorSpec& tensor, std::span<const std::uint8_t> code, std::size_t first,
                           std::span<float> values) const override {
    if (tensor.role != Role::kWeight) return read_float_block(tensor, code, first, values);
    std::string reason = decode_weights(code, first, values);
    return reason.empty() ? reason : "tensor " + tensor.name + reason;
  }

 private:
  void encode_weight(std::span<const float> values, DrawName draw, std::uint8_t* out) const {
    const std::uint32_t largest = largest_magnitude_bits(values);
    // What is not finite travels as the scale, so that the receiver refuses the tensor; its codes are never read.
    float scale = std::bit_cast<float>(largest);
    if (largest < kInfinityBits)
      scale = std::max(scale / static_cast<float>(levels_), std::numeric_limits<float>::min());
    std::memcpy(out, &scale, kScaleBytes);
    if (largest >= kInfinityBits) {
      std::fill_n(out + kScaleBytes, packed_bytes(values.size(), bits_), std::uint8_t{0});
      return;
    }
    std::uint8_t* packed = out + kScaleBytes;
    std::array<std::uint16_t, kChunk> codes;
    const std::uint32_t tensor = draw.layer;
    for (std::size_t start = 0; start < values.size(); start += kChunk) {
      const std::span<const float> chunk = values.subspan(start, std::min(kChunk, values.size() - start));
      // Chunks of a tensor draw under names of their own; layouts have far fewer than 2^16 tensors.
      draw.layer = tensor + (static_cast<std::uint32_t>(start / kChunk) << 16);
      round_chunk(chunk, scale, draw, codes.data());
      pack({codes.data(), chunk.size()}, bits_, packed);
      packed += packed_bytes(chunk.size(), bits_);
    }
  }

  void round_chunk(std::span<const float> values, float scale, const DrawName& draw, std::uint16_t* codes) const {
    // Values beyond the last level come from the rounding of the scale and of the quotient only.
    const auto highest = static_cast<float>(levels_);
    if (rounding_ == Rounding::kHalfEven) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const float level = std::clamp(std::nearbyint(values[i] / scale), -highest, highest);
        codes[i] = static_cast<std::uint16_t>(static_cast<int>(level) + levels_);
      }
      return;
    }
    std::array<float, kChunk> uniform;
    Stream(draw).fill_uniform({uniform.data(), values.size()}, 0.0F, 1.0F);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float quotient = values[i] / scale;
      const float below = std::floor(quotient);
      // Comparing with the fraction, which is exact, keeps what adding the draw to a large quotient would round away.
      const float level = std::clamp(below + (uniform[i] < quotient - below ? 1.0F : 0.0F), -highest, highest);
      codes[i] = static_cast<std::uint16_t>(static_cast<int>(level) + levels_);
    }
  }

  std::string decode_weights(std::span<const std::uint8_t> code, std::size_t first, std::span<float> values) const {
    float scale = 0;
    std::memcpy(&scale, code.data(), kScaleBytes);
    if (!std::isnormal(scale) || scale < 0 || !std::isfinite(scale * static_cast<float>(levels_)))
      return " has a scale that is not finite, positive and in range";
    static_assert(Codec::kBlock % 64 == 0, "a block starts at a whole byte");
    std::array<std::uint16_t, Codec::kBlock> codes;
    const std::uint8_t* packed = code.data() + kScaleBytes + packed_bytes(first, bits_);
    if (!unpack(packed, bits_, {codes.data(), values.size()})) return " has bits set behind its last code";
    std::uint16_t largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      largest = std::max(largest, codes[i]);
      values[i] = static_cast<float>(static_cast<int>(codes[i]) - levels_) * scale;
    }
    return largest > 2 * levels_ ? " has a code above " + std::to_string(2 * levels_) : "";
  }

  int bits_;
  int levels_;  // codes reach from -levels_ to levels_ around zero
  Rounding rounding_;
};

std::unique_ptr<Codec> make_uniform(const Options& options) {
  const std::int64_t bits = options.integer("bits");
  options.require(bits >= 2 && bits <= 16, "bits", "must be 2 to 16");
  const std::string& rounding = options.text("rounding");
  options.require(rounding == "stochastic" || rounding == "half_even", "rounding",
                  "must be \"stochastic\" or \"half_even\"");
  return std::make_unique<UniformCodec>(static_cast<int>(bits),
                                        rounding == "stochastic" ? Rounding::kStochastic : Rounding::kHalfEven);
}

}  // namespace

CodecTable::Row uniform_row() {
  const std::vector<OptionRow> options = {
      {"bits", std::int64_t{8}, std::int64_t{4}, "bits of a weight, 2 to 16; other tensors stay float"},
      {"rounding", std::string("stochastic"), std::string("half_even"),
       "stochastic is unbiased; half_even has the smaller error"}};
  return {{.name = "uniform",
           .help = "weights as bit-packed integers with one scale per tensor",
           .paper = "Reisizadeh et al., FedPAQ, AISTATS 2020; Alistarh et al., QSGD, NeurIPS 2017",
           .options = options,
           .neutral = {"", {}, {}, "rounds at every width"}},
          make_uniform};
}

}  // namespace anybit
