#include "server/aggregations/aggregation.h"

namespace anybit {

AggregationTable::Row synchronous_row() {
  return {{.name = "synchronous",
           .help = "rounds: a cohort trains from one version, and its updates make the next",
           .paper = "McMahan et al., Communication-Efficient Learning of Deep Networks, AISTATS 2017",
           .neutral = {"", {}, {}, "it is the base row"}},
          [](const Options&) -> std::optional<Asynchrony> { return std::nullopt; }};
}

const AggregationTable& aggregations() {
  static const AggregationTable table("aggregation", {synchronous_row(), fedbuff_row(), fedasync_row()});
  return table;
}

}  // namespace anybit
