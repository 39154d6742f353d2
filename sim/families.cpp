#include "sim/families.h"

#include <functional>
#include <stdexcept>
#include <utility>

#include "data/availability/availability.h"
#include "data/datasets/dataset.h"
#include "data/partitions/partition.h"
#include "nn/models/model.h"
#include "nn/objectives/objective.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "quant/model_quantizer.h"
#include "server/aggregations/aggregation.h"
#include "server/strategies/strategy.h"
#include "server/weightings/weighting.h"
#include "wire/codec.h"

namespace anybit {
namespace {

using Family = std::pair<std::string, std::function<std::vector<RowInfo>()>>;

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"models", [] { return models().infos(); }},         {"datasets", [] { return datasets().infos(); }},
      {"partitions", [] { return partitions().infos(); }}, {"methods", [] { return methods().infos(); }},
      {"quantizers", [] { return range_rules(); }},        {"objectives", [] { return objectives().infos(); }},
      {"optimizers", [] { return optimizers().infos(); }}, {"strategies", [] { return strategies().infos(); }},
      {"codecs", [] { return codecs().infos(); }},         {"availabilities", [] { return availabilities().infos(); }},
      {"weightings", [] { return weightings().infos(); }}, {"aggregations", [] { return aggregations().infos(); }},
  };
  return all;
}

}  // namespace

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(family.first);
  return names;
}

std::vector<RowInfo> family_rows(const std::string& family) {
  for (const Family& candidate : families())
    if (candidate.first == family) return candidate.second();
  throw std::out_of_range("no table is called '" + family + "'");
}

}  // namespace anybit
