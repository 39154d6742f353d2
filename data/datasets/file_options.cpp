#include "data/datasets/file_options.h"

namespace anybit {

OptionRow limit_option() {
  return {"limit", std::int64_t{0}, std::int64_t{6000}, "use only the first so many training examples; 0: all"};
}

std::size_t read_limit(const Options& options) {
  const std::int64_t limit = options.integer("limit");
  options.require(limit >= 0, "limit", "must be 0 (all) or more");
  return static_cast<std::size_t>(limit);
}

void keep_first(ExamplePool& pool, std::size_t limit) {
  if (limit == 0 || limit >= pool.labels.size()) return;
  pool.labels.resize(limit);
  pool.indices.resize(limit);
  pool.pixels.resize(limit * pool.shape.size());
  pool.pixels.shrink_to_fit();
}

}  // namespace anybit
