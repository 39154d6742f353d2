#include "quant/methods/rows.h"

namespace anybit {

const MethodTable& methods() {
  static const MethodTable table(
      "method", {fedavg_row(), kure_row(), apqn_row(), qat_row(), mqat_row(), joint_row(), lsq_row(), lsqplus_row()});
  return table;
}

}  // namespace anybit
