#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "data/examples.h"
#include "nn/random.h"
#include "scenarios/options.h"

namespace anybit {

/// A part of a scenario as if a file had it.
inline Part part(const std::string& name, const std::vector<std::pair<std::string, OptionValue>>& options = {}) {
  Part made{name, Options("test." + name), {"test", 1}};
  for (const auto& [key, value] : options) made.options.set(key, value);
  return made;
}

/// A client's examples: pixels and labels by chance, others for another `salt`.
inline ExamplePool make_examples(Shape image, int classes, std::size_t count, std::uint32_t salt = 0) {
  ExamplePool pool;
  pool.shape = image;
  Stream stream({9, Purpose::kTest, salt, 0, 0, 0});
  for (std::size_t i = 0; i < count * image.size(); ++i)
    pool.pixels.push_back(static_cast<std::uint8_t>(stream.below(256)));
  for (std::size_t i = 0; i < count; ++i)
    pool.labels.push_back(static_cast<std::uint8_t>(stream.below(static_cast<std::uint32_t>(classes))));
  pool.indices.resize(count);
  std::iota(pool.indices.begin(), pool.indices.end(), 0U);
  return pool;
}

}  // namespace anybit
