#pragma once

#include <string>

#include "wire/codec.h"

namespace anybit {

/// A weight of n values at 0, then a bias of 2.
inline Layout weight_and_bias(int n) {
  return Layout({{.name = "w", .shape = {n}, .role = Role::kWeight}, {.name = "b", .shape = {2}, .role = Role::kBias}});
}

inline std::unique_ptr<Codec> make_codec(const std::string& name,
                                         std::vector<std::pair<std::string, OptionValue>> set = {}) {
  Options options("federation.uplink");
  for (auto& [key, value] : set) options.set(key, value);
  return codecs().make({name, options, {}});
}

inline std::unique_ptr<Codec> make_uniform(std::int64_t bits, const std::string& rounding = "half_even") {
  return make_codec("uniform", {{"bits", bits}, {"rounding", rounding}});
}

}  // namespace anybit
