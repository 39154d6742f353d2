#include <numeric>

#include "data/data_error.h"
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

Dataset load_set(const Part& set, const DatasetSource& source) {
  try {
    return datasets().make(set, source);
  } catch (const DataError& mistake) {
    throw key_mistake(set.where, "data.set", mistake.what());
  }
}

std::vector<std::uint32_t> all_indices(std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0U);
  return indices;
}

}  // namespace anybit
