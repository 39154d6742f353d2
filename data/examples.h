#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/description.h"
#include "nn/gradient.h"

namespace anybit {

/// Labelled images as bytes, NHWC, with an index list: the i-th example is pixels[indices[i]]. Borrowed.
struct ExamplesView {
  Shape shape;
  std::span<const std::uint8_t> pixels;  // of the whole pool
  std::span<const std::uint8_t> labels;  // of the whole pool
  std::span<const std::uint32_t> indices;
  std::size_t size() const { return indices.size(); }
};

/// Labelled images that somebody owns; also the scratch into which a generated client is drawn.
struct ExamplePool {
  Shape shape;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> indices;
  ExamplesView view() const { return {shape, pixels, labels, indices}; }
};

/// x = (byte / 255 - mean) / deviation, per channel.
struct Normalization {
  std::array<float, 3> mean{};
  std::array<float, 3> deviation{1.0F, 1.0F, 1.0F};
};

/// Writes examples picks[0..n) of the view, normalised, into `images` and their labels into `labels`; the rest of the
/// buffers is left alone. Returns the batch.
Batch gather(const ExamplesView& examples, std::span<const std::uint32_t> picks, const Normalization& normalization,
             std::span<float> images, std::span<std::uint8_t> labels);

}  // namespace anybit
