#include <stdexcept>

#include "nn/models/rows.h"

namespace anybit {

const ModelTable& models() {
  static const ModelTable table(
      "model", {logistic_row(), mlp_row(), lenet_row(), cnn_row(), resnet8_row(), resnet20_row(), resnet20_bn_row()});
  return table;
}

void require_image(const std::string& model, const Shape& image, int smallest) {
  if (image.height >= smallest && image.width >= smallest) return;
  throw std::invalid_argument("model " + model + " needs images of at least " + std::to_string(smallest) + "x" +
                              std::to_string(smallest) + " pixels; these have " + std::to_string(image.height) + "x" +
                              std::to_string(image.width));
}

}  // namespace anybit
