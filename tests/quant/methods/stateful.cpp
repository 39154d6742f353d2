// Linked with a program's files instead of quant/methods/methods.cpp: the same table with one row more, a method whose
// clients keep something between their rounds. The catalogue has none yet.
#include "quant/methods/rows.h"
#include "tests/quant/counter_and_residual.h"

namespace anybit {
namespace {

MethodTable::Row stateful_row() {
  RowInfo info;
  info.name = "stateful";
  info.help = "for tests: plain training; updates are rounded, and what is left is added to the client's next one";
  info.paper = "ours";
  info.neutral.reason = "it is for tests";
  return {info, [](const Options&) {
            Method method;
            method.name = "stateful";
            method.client_state = std::make_shared<const CounterAndResidual>();
            return method;
          }};
}

}  // namespace

const MethodTable& methods() {
  static const MethodTable table(
      "method", {fedavg_row(), kure_row(), apqn_row(), qat_row(), mqat_row(), joint_row(), stateful_row()});
  return table;
}

}  // namespace anybit
