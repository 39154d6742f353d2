#include "data/examples.h"

#include <cassert>
#include <stdexcept>

#include "nn/kernels/kernels.h"

namespace anybit {
namespace {

constexpr int kMostChannels = 3;

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

}  // namespace

Batch gather(const ExamplesView& examples, std::span<const std::uint32_t> picks, const Normalization& normalization,
             std::span<float> images, std::span<std::uint8_t> labels) {
  const std::size_t size = examples.shape.size();
  const auto channels = static_cast<std::size_t>(examples.shape.channels);
  if (channels < 1 || channels > kMostChannels) throw std::logic_error("gather: images have 1 to 3 channels");
  assert(images.size() >= picks.size() * size && labels.size() >= picks.size());

  const Scaling scaling(normalization, channels);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const std::size_t index = examples.indices[picks[i]];
    const auto bytes = examples.pixels.subspan(index * size, size);
    kernels().scale_bytes(bytes.data(), scaling.scale.data(), scaling.shift.data(), images.data() + i * size, size);
    labels[i] = examples.labels[index];
  }
  return {images, labels.first(picks.size())};
}

}  // namespace anybit
