#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nn/buffer.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// How a rate becomes whole numbers: a number is dropped where its `bits` bits are below `below`. As few bits as the
/// rate needs, for they are what costs: one for 0.5, two for 0.25. Sixteen where it is no multiple of 2^-8; it is then
/// rounded to a multiple of 2^-16.
struct DropRule {
  std::uint32_t bits = 1;
  std::uint32_t below = 0;

  explicit DropRule(double rate) {
    while (bits < 16 &&
           std::ldexp(rate, static_cast<int>(bits)) != std::floor(std::ldexp(rate, static_cast<int>(bits))))
      bits *= 2;
    const double steps = std::ldexp(1.0, static_cast<int>(bits));
    below = static_cast<std::uint32_t>(std::min(steps - 1, std::rint(rate * steps)));
  }
  /// 1 / (1 - rate), of the rate that is used.
  float scale() const {
    const double steps = std::ldexp(1.0, static_cast<int>(bits));
    return static_cast<float>(steps / (steps - below));
  }
};

/// y = x times scale or zero, and which; number i by the bits of word i from `shift` on.
void decide(const std::uint32_t* __restrict words, std::size_t count, DropRule rule, std::uint32_t shift,
            const float* __restrict x, float* __restrict y, std::uint8_t* __restrict kept) {
  const std::uint32_t mask = (1U << rule.bits) - 1;
  const float scale = rule.scale();
  for (std::size_t i = 0; i < count; ++i) {
    const bool keep = ((words[i] >> shift) & mask) >= rule.below;
    kept[i] = keep ? 1 : 0;
    y[i] = keep ? scale * x[i] : 0.0F;
  }
}

void hand_back(const std::uint8_t* __restrict kept, std::size_t count, float scale, const float* __restrict dy,
               float* __restrict dx) {
  for (std::size_t i = 0; i < count; ++i) dx[i] = kept[i] != 0 ? scale * dy[i] : 0.0F;
}

/// Inverted dropout (Srivastava et al., Dropout, JMLR 15, 2014): in a training pass a number becomes zero with
/// probability `rate` and is divided by 1 - rate otherwise; in any other pass it stays as it is.
///
/// The bits are a function of the pass's draw and of the number's place in the step's batch: neither the size of the
/// workspace nor how a batch is cut changes them.
class DropoutLayer final : public Layer {
 public:
  DropoutLayer(const Dropout& dropout, const LayerPlan& plan)
      : size_(plan.input.size()), rule_(static_cast<double>(dropout.rate)), numbers_of_word_(32 / rule_.bits) {
    if (plan.training) kept_.resize(static_cast<std::size_t>(plan.rungs.front()) * size_);
  }

  void forward(const LayerPass& pass) override {
    const std::size_t live = static_cast<std::size_t>(pass.live) * size_;
    if (pass.training) {
      DrawName name = pass.draw;
      name.purpose = Purpose::kDropout;
      const Stream stream(name);
      for (int row = 0; row < pass.live; ++row) drop(stream, pass, static_cast<std::size_t>(row));
    } else {
      std::copy_n(pass.input[0], live, pass.output);
    }
    std::fill(pass.output + live, pass.output + static_cast<std::size_t>(pass.rows) * size_, 0.0F);
  }

  void backward(LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    const std::size_t live = static_cast<std::size_t>(pass.live) * size_;
    hand_back(kept_.data(), live, rule_.scale(), pass.output_gradient, to);
    std::fill(to + live, to + static_cast<std::size_t>(pass.rows) * size_, 0.0F);
  }

  std::size_t bytes() const override { return held_bytes(kept_); }

 private:
  static constexpr std::size_t kWords = Stream::kFillGroup;

  /// One example. A group of words decides kWords numbers by its lowest bits, the next kWords by the bits above, ...;
  /// every example begins with a group of its own.
  void drop(const Stream& stream, const LayerPass& pass, std::size_t row) {
    const std::size_t numbers_of_group = kWords * numbers_of_word_;
    const std::size_t groups = (size_ + numbers_of_group - 1) / numbers_of_group;
    const std::uint64_t first = (static_cast<std::uint64_t>(pass.first) + row) * groups * kWords;
    std::array<std::uint32_t, kWords> words;
    for (std::size_t at = 0; at < size_; at += kWords) {
      const std::size_t part = at / kWords % numbers_of_word_;
      if (part == 0) stream.fill_bits(words, first + at / numbers_of_word_);
      const std::size_t place = row * size_ + at;
      decide(words.data(), std::min(kWords, size_ - at), rule_, static_cast<std::uint32_t>(part) * rule_.bits,
             pass.input[0] + place, pass.output + place, kept_.data() + place);
    }
  }

  std::size_t size_;
  DropRule rule_;
  std::size_t numbers_of_word_;
  std::vector<std::uint8_t> kept_;
};

}  // namespace

std::unique_ptr<Layer> make_dropout(const Dropout& dropout, const LayerPlan& plan) {
  return std::make_unique<DropoutLayer>(dropout, plan);
}

}  // namespace anybit
