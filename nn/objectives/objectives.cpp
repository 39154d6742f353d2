#include "nn/objectives/fedprox.h"
#include "nn/objectives/objective.h"

namespace anybit {

const ObjectiveTable& objectives() {
  static const ObjectiveTable table("objective", {{{.name = "plain",
                                                    .help = "the loss of the examples, nothing added",
                                                    .paper = "",
                                                    .options = {},
                                                    .neutral = {"", {}, {}, "it is the base row"}},
                                                   [](const Options&) { return std::unique_ptr<Objective>(); }},
                                                  fedprox_row()});
  return table;
}

}  // namespace anybit
