#include "data/datasets/glyphs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../files.h"

namespace anybit {
namespace {

constexpr std::size_t kPixels = 784;
constexpr Difficulty kPlain = {.bend = 0.06F, .noise = 0.1F, .faint = 1, .shade = 0};
constexpr Difficulty kClean = {.bend = 0, .noise = 0, .faint = 1, .shade = 0};

struct Drawn {
  Bytes pixels, labels;
};

Drawn draw(const Writers& writers, std::uint32_t writer, std::uint32_t first, std::size_t count) {
  Drawn drawn = {Bytes(count * kPixels), Bytes(count)};
  writers.draw(writer, first, drawn.pixels, drawn.labels);
  return drawn;
}

TEST(Glyphs, ExampleIsAPureFunctionOfSeedWriterAndNumber) {
  const GlyphWriters writers(5, 62, 100, kPlain);
  const Drawn all = draw(writers, 3, 0, 20), later = draw(writers, 3, 12, 5);
  EXPECT_EQ(later.pixels, Bytes(all.pixels.begin() + 12 * kPixels, all.pixels.begin() + 17 * kPixels));
  EXPECT_EQ(later.labels, Bytes(all.labels.begin() + 12, all.labels.begin() + 17));
  EXPECT_EQ(draw(GlyphWriters(5, 62, 40, kPlain), 3, 0, 20).pixels, all.pixels);
  EXPECT_NE(draw(GlyphWriters(6, 62, 100, kPlain), 3, 0, 20).pixels, all.pixels);
  EXPECT_NE(draw(writers, 4, 0, 20).pixels, all.pixels);
}

TEST(Glyphs, LabelsAreUniformOverTheClasses) {
  const GlyphWriters writers(1, 10, 100, kPlain);
  std::vector<int> counts(10);
  for (std::uint32_t writer = 0; writer < 20; ++writer)
    for (const std::uint8_t label : draw(writers, writer, 0, 100).labels) ++counts.at(label);
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);  // more than four deviations
}

/// Mean picture of a class over examples of one writer.
std::vector<double> mean_picture(std::uint32_t writer, int label, std::uint32_t first) {
  std::vector<double> mean(kPixels);
  const Hand hand = hand_of(1, writer);
  for (std::uint32_t i = first; i < first + 30; ++i) {
    Bytes pixels(kPixels);
    Stream example({.seed = 1, .purpose = Purpose::kGlyph, .client = writer, .step = i});
    draw_glyph(1, writer, hand, label, kPlain, example, pixels);
    for (std::size_t p = 0; p < kPixels; ++p) mean[p] += pixels[p] / 30.0;
  }
  return mean;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

TEST(Glyphs, EachWriterHasAHandOfTheirOwn) {
  for (std::uint32_t writer = 0; writer < 5; ++writer) {
    const std::vector<double> mine = mean_picture(writer, 10, 0);
    EXPECT_LT(distance(mine, mean_picture(writer, 10, 30)), 0.7 * distance(mine, mean_picture(writer + 1, 10, 0)));
  }
}

TEST(Glyphs, EveryPairOfClassesDiffers) {
  std::vector<std::vector<double>> pictures;
  for (int label = 0; label < kGlyphClasses; ++label) pictures.push_back(mean_picture(2, label, 0));
  for (std::size_t a = 0; a < pictures.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      EXPECT_GT(distance(pictures[a], pictures[b]), 250) << kGlyphNames[a] << " " << kGlyphNames[b];
}

TEST(Glyphs, CharactersAreWholeAndOnAnEmptyBackground) {
  const Hand hand = hand_of(1, 0);
  for (int label = 0; label < kGlyphClasses; ++label) {
    Bytes pixels(kPixels);
    Stream example({.seed = 1, .purpose = Purpose::kGlyph});
    draw_glyph(1, 0, hand, label, kClean, example, pixels);
    EXPECT_GT(std::count_if(pixels.begin(), pixels.end(), [](int byte) { return byte > 100; }), 10);
    for (std::size_t x = 0; x < 28; ++x) EXPECT_EQ(pixels[x], 0) << kGlyphNames[static_cast<std::size_t>(label)];
    EXPECT_GT(std::count(pixels.begin(), pixels.end(), 0), 500);
  }
}

constexpr int kSmallO = 36 + 'o' - 'a';

/// Mean and standard deviation of the top row above a small o, where no stroke reaches: the ground and its noise.
std::pair<double, double> ground_of(std::uint32_t writer, const Difficulty& difficulty, std::uint32_t example) {
  Bytes pixels(kPixels);
  Stream stream({.seed = 1, .purpose = Purpose::kGlyph, .client = writer, .step = example});
  draw_glyph(1, writer, hand_of(1, writer), kSmallO, difficulty, stream, pixels);
  double sum = 0, squares = 0;
  for (std::size_t x = 0; x < 28; ++x) {
    sum += pixels[x] / 255.0;
    squares += (pixels[x] / 255.0) * (pixels[x] / 255.0);
  }
  return {sum / 28, std::sqrt(std::max(0.0, squares / 28 - sum / 28 * (sum / 28)))};
}

TEST(Glyphs, GroundIsEvenInAnExampleAndUniformOverExamples) {
  Difficulty shaded = kClean;
  shaded.shade = 0.6F;
  double sum = 0, darkest = 0;
  for (std::uint32_t example = 0; example < 200; ++example) {
    const auto [mean, deviation] = ground_of(3, shaded, example);
    EXPECT_NEAR(deviation, 0, 1e-6);
    sum += mean;
    darkest = std::max(darkest, mean);
  }
  EXPECT_NEAR(sum / 200, 0.3, 0.05);  // four deviations of a mean of 200
  EXPECT_GT(darkest, 0.55);
  EXPECT_LT(darkest, 0.6 + 1 / 255.0);
}

TEST(Glyphs, WritersDifferInNoise) {
  Difficulty noisy = kClean;
  noisy.noise = 0.05F;
  noisy.shade = 1;  // away from black, where noise is cut off
  const auto noise_of = [&](std::uint32_t writer) {
    double sum = 0, kept = 0;
    for (std::uint32_t example = 0; example < 100; ++example) {
      const auto [mean, deviation] = ground_of(writer, noisy, example);
      if (mean < 0.3 || mean > 0.7) continue;
      sum += deviation;
      ++kept;
    }
    return sum / kept;
  };
  for (std::uint32_t writer = 0; writer < 6; ++writer)
    EXPECT_NEAR(noise_of(writer), 0.05 * hand_of(1, writer).noise, 0.005);
  EXPECT_GT(std::abs(hand_of(1, 0).noise - hand_of(1, 2).noise), 0.1);
}

TEST(Glyphs, NormalisationIsTheMeasuredOne) {
  const std::vector<std::string> nowhere;
  const Dataset set = datasets().make({"glyphs", Options("data"), {}}, {1, nowhere});
  double sum = 0, squares = 0;
  for (std::uint32_t writer = 0; writer < 200; ++writer) {
    for (const std::uint8_t byte : draw(*set.writers, writer, 0, 20).pixels) {
      sum += byte / 255.0;
      squares += (byte / 255.0) * (byte / 255.0);
    }
  }
  const double count = 200.0 * 20 * kPixels, mean = sum / count;
  EXPECT_NEAR(mean, set.normalization.mean[0], 0.01);
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean), set.normalization.deviation[0], 0.01);
}

TEST(Glyphs, EveryAlternativeChangesThePictures) {
  const std::vector<std::string> nowhere;
  const auto bytes = [&](const Options& options) {
    const Dataset set = datasets().make({"glyphs", options, {}}, {1, nowhere});
    return draw(*set.writers, 0, 0, set.writers->examples()).pixels;
  };
  const Bytes plain = bytes(Options("data"));
  for (const OptionRow& option : glyphs_row().info.options) {
    Options changed("data");
    changed.set(option.name, option.alternative);
    EXPECT_NE(bytes(changed), plain) << option.name;
  }
}

TEST(Glyphs, RefusesOptionsOutOfRange) {
  const std::vector<std::string> nowhere;
  const std::vector<std::pair<std::string, OptionValue>> bad = {{"classes", std::int64_t{1}},
                                                                {"classes", std::int64_t{63}},
                                                                {"examples", std::int64_t{0}},
                                                                {"noise", -0.1},
                                                                {"bend", 2.0},
                                                                {"faint", 1.5},
                                                                {"noise", std::nan("")}};
  for (const auto& [key, value] : bad) {
    Options options("data");
    options.set(key, value);
    EXPECT_THROW(datasets().make({"glyphs", options, {}}, {1, nowhere}), ScenarioError) << key;
  }
}

}  // namespace
}  // namespace anybit
