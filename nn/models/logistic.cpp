#include "nn/models/rows.h"

namespace anybit {
namespace {

Description make(const Options&, Shape image, int classes) {
  require_image("logistic", image, 1);
  Description description{"logistic", image, classes, {}};
  description.then("dense", Dense{classes});
  return description;
}

}  // namespace

ModelTable::Row logistic_row() {
  return {{"logistic", "one dense layer from pixels to classes", "Cox 1958", {}, {"", {}, {}, "has no options"}}, make};
}

}  // namespace anybit
