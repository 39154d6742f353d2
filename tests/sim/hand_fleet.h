#pragma once

#include <string>
#include <vector>

#include "tests/server/tiny_scenario.h"

namespace anybit {

/// A task of hand_fleet(): four examples, once each, three passes of a pixel's product and sum for each of ten classes.
constexpr double kTaskFlops = 3 * 4 * (2 * 784 * 10);  // 188,160

/// Twenty writers with four examples each and a logistic model, whose devices are `classes`: TOML tables, e.g.
/// `{name = "fast", share = 1, compute = 94080, widths = [8]}`, which does a task in two seconds.
inline Federation hand_fleet(const std::string& classes, std::vector<std::string> settings = {}) {
  settings.insert(settings.begin(),
                  {"model.name=logistic", "data.partition.name=writer", "data.examples=4",
                   "training.method.name=fedavg", "federation.uplink.name=float32", "fleet.class=[" + classes + "]"});
  return tiny_federation(settings);
}

}  // namespace anybit
