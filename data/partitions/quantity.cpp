#include "data/partitions/dirichlet.h"

namespace anybit {
namespace {

/// As if all examples were of one class: then the draw decides how many a client holds, and chance which.
Assignment deal_quantities(const Holdings& holdings, double alpha, std::uint64_t minimum) {
  const std::vector<std::uint8_t> one_class(holdings.labels.size(), 0);
  Holdings same = holdings;
  same.labels = one_class;
  same.classes = 1;
  return deal_by_dirichlet(same, alpha, minimum);
}

}  // namespace

PartitionTable::Row quantity_row() {
  return {{"quantity", "size skew: how many examples a client holds is a Dirichlet draw; labels are as in the whole",
           "Li et al., Federated learning on non-IID data silos: an experimental study, ICDE 2022, section IV-C",
           dirichlet_options()},
          [](const Options& options) { return make_dirichlet_deal(options, deal_quantities); }};
}

}  // namespace anybit
