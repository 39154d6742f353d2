#include "data/examples.h"

#include <cassert>
#include <stdexcept>

namespace anybit {
namespace {

constexpr int kMostChannels = 3;
using Lookup = std::array<float, 256>;

std::array<Lookup, kMostChannels> lookups(const Normalization& normalization, int channels) {
  std::array<Lookup, kMostChannels> all;
  for (int channel = 0; channel < channels; ++channel)
    for (int byte = 0; byte < 256; ++byte)
      all[channel][byte] =
          (static_cast<float>(byte) / 255.0F - normalization.mean[channel]) / normalization.deviation[channel];
  return all;
}

void normalise_grey(std::span<const std::uint8_t> bytes, const Lookup& grey, float* out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = grey[bytes[i]];
}

void normalise_colours(std::span<const std::uint8_t> bytes, const std::array<Lookup, kMostChannels>& colours,
                       std::size_t channels, float* out) {
  for (std::size_t i = 0; i < bytes.size(); i += channels)
    for (std::size_t channel = 0; channel < channels; ++channel)
      out[i + channel] = colours[channel][bytes[i + channel]];
}

}  // namespace

Batch gather(const ExamplesView& examples, std::span<const std::uint32_t> picks, const Normalization& normalization,
             std::span<float> images, std::span<std::uint8_t> labels) {
  const std::size_t size = examples.shape.size();
  const auto channels = static_cast<std::size_t>(examples.shape.channels);
  if (channels < 1 || channels > kMostChannels) throw std::logic_error("gather: images have 1 to 3 channels");
  assert(images.size() >= picks.size() * size && labels.size() >= picks.size());

  const auto tables = lookups(normalization, examples.shape.channels);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const std::size_t index = examples.indices[picks[i]];
    const auto bytes = examples.pixels.subspan(index * size, size);
    if (channels == 1)
      normalise_grey(bytes, tables[0], images.data() + i * size);
    else
      normalise_colours(bytes, tables, channels, images.data() + i * size);
    labels[i] = examples.labels[index];
  }
  return {images, labels.first(picks.size())};
}

}  // namespace anybit
