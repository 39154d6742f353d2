#include "data/examples.h"

#include <cassert>
#include <stdexcept>

#include "nn/kernels/kernels.h"

namespace anybit {
namespace {

constexpr int kMostChannels = 3;
constexpr std::size_t kAhead = 2;  // examples that are fetched ahead

/// (byte / 255 - mean) / deviation as one multiply-add, laid out for Kernels::scale_bytes.
struct Scaling {
  std::array<float, Kernels::kPattern> scale;
  std::array<float, Kernels::kPattern> shift;

  Scaling(const Normalization& normalization, std::size_t channels) {
    for (std::size_t i = 0; i < scale.size(); ++i) {
      const float mean = normalization.mean[i % channels];
      const float deviation = normalization.deviation[i % channels];
      scale[i] = 1.0F / (255.0F * deviation);
      shift[i] = -mean / deviation;
    }
  }
};

/// Picks are random: no processor foresees the next one.
void prefetch(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t at = 0; at < size; at += kCacheLine) __builtin_prefetch(bytes + at);
}

}  // namespace

Batch gather(const ExamplesView& examples, std::span<const std::uint32_t> picks, const Normalization& normalization,
             std::span<float> images, std::span<std::uint8_t> labels) {
  const std::size_t size = examples.shape.size();
  const auto channels = static_cast<std::size_t>(examples.shape.channels);
  if (channels < 1 || channels > kMostChannels) throw std::logic_error("gather: images have 1 to 3 channels");
  assert(images.size() >= picks.size() * size && labels.size() >= picks.size());

  const Scaling scaling(normalization, channels);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    if (i + kAhead < picks.size()) prefetch(examples.pixels.data() + examples.indices[picks[i + kAhead]] * size, size);
    const std::size_t index = examples.indices[picks[i]];
    const auto bytes = examples.pixels.subspan(index * size, size);
    kernels().scale_bytes(bytes.data(), scaling.scale.data(), scaling.shift.data(), images.data() + i * size, size);
    labels[i] = examples.labels[index];
  }
  return {images, labels.first(picks.size())};
}

}  // namespace anybit
