#include "server/aggregations/asynchronous_options.h"

namespace anybit {

AggregationTable::Row fedasync_row() {
  std::vector<OptionRow> options = asynchronous_options("polynomial");
  options.push_back({"alpha", 0.6, 0.3, "share of the way to a fresh client's parameters, above 0, at most 1"});
  return {{.name = "fedasync",
           .help = "asynchronous: each update makes a version, w <- (1 - a) w + a w_client, a = alpha s(staleness)",
           .paper = "Xie et al., Asynchronous Federated Optimization, OPT workshop at NeurIPS 2020 (arXiv 2019)",
           .options = std::move(options),
           .neutral = {"", {}, {}, "clients that are replaced one by one are no cohort of a round"}},
          [](const Options& given) -> std::optional<Asynchrony> {
            Asynchrony made = read_asynchrony(given);
            const double alpha = given.number("alpha");
            given.require(alpha > 0 && alpha <= 1, "alpha", "must be above 0 and at most 1");
            made.mixing = alpha;
            return made;
          }};
}

}  // namespace anybit
