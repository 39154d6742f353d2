// The clipped straight-through gradient of activations, through the whole network and against a computation by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/quant/methods/trained.h"

namespace anybit {
namespace {

constexpr std::size_t kInputs = 6, kHidden = 20, kClasses = 3, kExamples = 8;
constexpr double kClip = 0.3;  // the stored range of the hidden activations is [0, kClip]: codes 0 to 3

// Weight from `input` to `channel` of a dense layer, wherever the layout keeps it.
double weight(const SlotSite& site, std::span<const float> values, std::size_t channel, std::size_t input) {
  const auto channels = static_cast<std::size_t>(site.channels);
  const std::size_t inputs = values.size() / channels;
  return static_cast<double>(site.channel_stride == 1 ? values[input * channels + channel]
                                                      : values[channel * inputs + input]);
}

struct ByHand {
  std::array<std::array<double, kInputs>, kHidden> gradient{};
  int clipped = 0;  // active hidden values that the range clips
};

// dL/dW1 of dense, ReLU, clip-and-round, dense, mean cross-entropy; a clipped activation passes no gradient.
ByHand first_gradient(Played& played, const Batch& batch, bool straight_through) {
  const Parameters& parameters = played.parameters;
  const std::span<const float> w1 = parameters.tensor(0), b1 = parameters.tensor(1), w2 = parameters.tensor(2),
                               b2 = parameters.tensor(3);
  ByHand result;
  for (std::size_t n = 0; n < kExamples; ++n) {
    const std::span<const float> x = batch.images.subspan(n * kInputs, kInputs);
    std::array<double, kHidden> hidden{}, used{};
    for (std::size_t h = 0; h < kHidden; ++h) {
      double sum = static_cast<double>(b1[h]);
      for (std::size_t i = 0; i < kInputs; ++i) sum += weight(played.site(0), w1, h, i) * static_cast<double>(x[i]);
      hidden[h] = std::max(sum, 0.0);
      used[h] = kClip / 3.0 * std::min(std::nearbyint(hidden[h] / (kClip / 3.0)), 3.0);
    }
    std::array<double, kClasses> share{};
    double total = 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      double sum = static_cast<double>(b2[c]);
      for (std::size_t h = 0; h < kHidden; ++h) sum += weight(played.site(2), w2, c, h) * used[h];
      total += share[c] = std::exp(sum);
    }
    for (std::size_t h = 0; h < kHidden; ++h) {
      const bool clips = hidden[h] > kClip;
      result.clipped += clips ? 1 : 0;
      if (hidden[h] <= 0.0 || (clips && straight_through)) continue;
      double of_hidden = 0;
      for (std::size_t c = 0; c < kClasses; ++c)
        of_hidden += (share[c] / total - (batch.labels[n] == c ? 1.0 : 0.0)) * weight(played.site(2), w2, c, h);
      for (std::size_t i = 0; i < kInputs; ++i)
        result.gradient[h][i] += of_hidden * static_cast<double>(x[i]) / static_cast<double>(kExamples);
    }
  }
  return result;
}

TEST(NetworkGradient, OfClippedActivationsStopsAtTheRange) {
  Played played(method_part("qat", {{"width", std::int64_t{32}}, {"activations", std::int64_t{2}}}));
  // The image's own range stays unset, which leaves it alone.
  played.parameters.tensor(played.layout->index("dense2.input.range"))[1] = static_cast<float>(kClip);
  Workspace workspace(played.network, kExamples, Mode::kTraining);
  SmallBatch examples(workspace);
  PlayedGradient of_batch(played, workspace, examples.batch());
  played.method.schedule->choose(played.moment, played.network->slots(), played.chosen);
  of_batch.at(played.chosen, played.gradients, false);
  const ByHand expected = first_gradient(played, examples.batch(), true);
  const ByHand unmasked = first_gradient(played, examples.batch(), false);
  ASSERT_GT(expected.clipped, 10);
  ASSERT_LT(expected.clipped, 120);
  const SlotSite& site = played.site(0);
  const TensorSpec& spec = played.layout->tensors()[static_cast<std::size_t>(site.tensor)];
  const std::span<const float> gradient = std::span(played.gradients).subspan(spec.offset, spec.size);
  double furthest = 0;
  for (std::size_t h = 0; h < kHidden; ++h)
    for (std::size_t i = 0; i < kInputs; ++i) {
      EXPECT_NEAR(weight(site, gradient, h, i), expected.gradient[h][i], 1e-6) << h << " " << i;
      furthest = std::max(furthest, std::fabs(unmasked.gradient[h][i] - expected.gradient[h][i]));
    }
  EXPECT_GT(furthest, 0.01);  // without the mask the comparison above would fail
}

}  // namespace
}  // namespace anybit
