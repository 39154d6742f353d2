#pragma once

#include <string>
#include <vector>

#include "server/federation.h"
#include "server/resolve.h"

namespace anybit {

/// Twenty writers with twenty examples each, and a network of 12,730 parameters: a round takes milliseconds.
inline const char* const kTinyScenario = R"(name = "tiny"
seed = 1
[data]
set = "glyphs"
clients = 20
examples = 20
proxy = 100
[data.partition]
name = "dirichlet"
alpha = 1.0
[model]
name = "mlp"
hidden = [16]
[training]
batch = 8
[training.method]
name = "mqat"
widths = [8, 4, 2]
activations = 8
[training.optimizer]
name = "sgd"
rate = 0.1
[federation]
rounds = 4
cohort = 3
[federation.strategy]
name = "fedavg"
[federation.uplink]
name = "uniform"
[evaluate]
weights = [4]
)";

/// Settings under which the updates of some clients are refused in every round, whoever is drawn: a rate at which
/// training explodes, and a server that hardly moves.
inline const std::vector<std::string> kExplosive = {"training.method.name=fedavg", "training.optimizer.rate=300",
                                                    "federation.strategy.rate=1e-9"};

inline std::vector<std::string> explosive_with(std::vector<std::string> settings) {
  settings.insert(settings.begin(), kExplosive.begin(), kExplosive.end());
  return settings;
}

/// The tiny scenario with "key.path=value" settings, its parts resolved.
inline Scenario tiny_scenario(const std::vector<std::string>& settings = {}) {
  std::vector<Override> overrides;
  for (const std::string& setting : settings) overrides.push_back(parse_override(setting));
  return resolve_scenario(parse_scenario(kTinyScenario, "tiny.toml", overrides), {}).scenario;
}

inline Federation tiny_federation(const std::vector<std::string>& settings = {}) {
  return make_federation(tiny_scenario(settings), {});
}

}  // namespace anybit
