#include "quant/methods/rows.h"

namespace anybit {

MethodTable::Row fedavg_row() {
  RowInfo info;
  info.name = "fedavg";
  info.help = "plain training, nothing added: the baseline";
  info.paper = "McMahan et al., AISTATS 2017";
  info.neutral.reason = "it is the base of the others";
  return {info, [](const Options&) {
            Method method;
            method.name = "fedavg";
            return method;
          }};
}

}  // namespace anybit
