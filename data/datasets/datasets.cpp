#include <numeric>

#include "data/datasets/cifar10.h"
#include "data/datasets/dataset.h"
#include "data/datasets/glyphs.h"
#include "data/datasets/idx.h"

namespace anybit {

const DatasetTable& datasets() {
  static const DatasetTable table("data set", {
                                                  glyphs_row(),
                                                  mnist_row(),
                                                  fashion_mnist_row(),
                                                  cifar10_row(),
                                              });
  return table;
}

std::vector<std::uint32_t> all_indices(std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0U);
  return indices;
}

}  // namespace anybit
