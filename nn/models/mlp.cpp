#include "nn/models/rows.h"

namespace anybit {
namespace {

Description make(const Options& options, Shape image, int classes) {
  require_image("mlp", image, 1);
  Description description{"mlp", image, classes, {}};
  int layer = 0;
  for (const std::int64_t units : options.integers("hidden")) {
    options.require(units >= 1 && units <= 65536, "hidden", "a layer has 1 to 65536 units");
    const std::string number = std::to_string(++layer);
    description.then("dense" + number, Dense{static_cast<int>(units)});
    description.then("relu" + number, Relu{});
  }
  description.then("dense" + std::to_string(layer + 1), Dense{classes});
  return description;
}

}  // namespace

ModelTable::Row mlp_row() {
  return {
      {"mlp",
       "dense layers with ReLU between them",
       "McMahan et al., Communication-efficient learning of deep networks, AISTATS 2017 (2NN)",
       {{"hidden", std::vector<std::int64_t>{200, 200}, std::vector<std::int64_t>{100}, "units of each hidden layer"}},
       {"", {}, {}, "no other network has these layers at the default"}},
      make};
}

}  // namespace anybit
