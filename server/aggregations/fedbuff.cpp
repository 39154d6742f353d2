#include "server/aggregations/asynchronous_options.h"

namespace anybit {

AggregationTable::Row fedbuff_row() {
  std::vector<OptionRow> options = asynchronous_options("polynomial");
  options.push_back({"normalise", false, true, "divide by the sum of the discounts, not by the number of updates"});
  options.push_back({"weighted", false, true, "weigh updates by federation.weighting, too; else all alike"});
  return {{.name = "fedbuff",
           .help = "asynchronous: federation.cohort updates make a version, each discounted by its staleness",
           .paper = "Nguyen et al., Federated Learning with Buffered Asynchronous Aggregation, AISTATS 2022",
           .options = std::move(options),
           .neutral = {"", {}, {}, "clients that are replaced one by one are no cohort of a round"}},
          [](const Options& given) -> std::optional<Asynchrony> {
            Asynchrony made = read_asynchrony(given);
            made.weighted = given.boolean("weighted");
            made.normalise = given.boolean("normalise");
            return made;
          }};
}

}  // namespace anybit
