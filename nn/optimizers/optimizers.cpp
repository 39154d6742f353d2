#include "nn/optimizers/adam.h"
#include "nn/optimizers/sgd.h"

namespace anybit {

const OptimizerTable& optimizers() {
  static const OptimizerTable table("optimizer", {sgd_row(), adam_row()});
  return table;
}

}  // namespace anybit
