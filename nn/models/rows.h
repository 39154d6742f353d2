#pragma once

#include "nn/models/model.h"

namespace anybit {

ModelTable::Row logistic_row();
ModelTable::Row mlp_row();
ModelTable::Row lenet_row();
ModelTable::Row cnn_row();
ModelTable::Row resnet8_row();
ModelTable::Row resnet20_row();
ModelTable::Row resnet20_bn_row();

/// Throws std::invalid_argument naming the network unless images are at least `smallest` pixels high and wide.
void require_image(const std::string& model, const Shape& image, int smallest);

}  // namespace anybit
