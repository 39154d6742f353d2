#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/description.h"

namespace anybit {

/// A small network around one kind of layer.
struct LayerCase {
  std::string name;
  std::function<void(Description&)> build;  // all but the last dense layer
  Shape image = {7, 6, 3};
  bool as_trained = false;  // the function is another in training
};

/// Every kind of layer, alone and beside those that it is fused with.
std::vector<LayerCase> layer_cases();

}  // namespace anybit
