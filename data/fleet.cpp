#include "data/fleet.h"

#include "nn/random.h"

namespace anybit {

int Fleet::class_of(std::uint32_t client) const {
  if (classes_.empty()) return -1;
  const double draw = Stream({.seed = seed_, .purpose = Purpose::kFleet, .client = client}).uniform();
  double covered = 0;
  for (std::size_t i = 0; i + 1 < classes_.size(); ++i) {
    covered += classes_[i].share;
    if (draw < covered) return static_cast<int>(i);
  }
  return static_cast<int>(classes_.size()) - 1;
}

std::span<const int> Fleet::widths(std::uint32_t client) const {
  const int index = class_of(client);
  if (index < 0) return {};
  return classes_[static_cast<std::size_t>(index)].widths;
}

}  // namespace anybit
