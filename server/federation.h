#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/federated_data.h"
#include "data/fleet.h"
#include "scenarios/scenario.h"
#include "server/coordinator.h"
#include "wire/training_plan.h"

namespace anybit {

/// A whole federation, ready to run: everything that a resolved scenario names, made once and then read only.
struct Federation {
  Scenario scenario;
  std::string result_bearing;  // the text that decides results
  std::uint64_t run = 0;       // its digest
  std::unique_ptr<const FederatedData> data;
  TrainingPlan training;
  std::unique_ptr<const Weighting> weighting;
  std::unique_ptr<const Strategy> strategy;
  Fleet fleet;

  /// What the coordinator is told; borrows from this federation.
  FederationPlan plan(int threads = 1) const;
  /// Version 0: initialised parameters, empty strategy state.
  FederationState first_state() const;
};

/// The task of all that are sent the same parameters.
std::shared_ptr<const CohortTask> make_cohort_task(const TrainingPlan& plan, const SendTask& send);

/// Adds what hinders the grid from being measured on a model that was trained so.
void check_grid(const EvaluationGrid& grid, const Scenario& scenario, const NetworkPlan& trained, Mistakes& mistakes);

/// Loads the data; ScenarioError also for a client that would hold no example.
std::unique_ptr<FederatedData> load_checked_data(const Scenario& resolved,
                                                 const std::vector<std::string>& data_directories);

/// Adds a mistake where the parameters are more than a frame carries, or one thread's activations alone more than this
/// machine's memory: told before anything of this size is made.
void check_size(const Scenario& scenario, const NetworkPlan& trained, Mistakes& mistakes);

/// Adds a mistake for each class of devices whose memory is less than a training task takes by sizes alone.
void check_fleet(const Scenario& scenario, const TrainingPlan& plan, Mistakes& mistakes);

/// The largest body of an update that a client of this federation can send, in bytes.
std::size_t largest_update(const Federation& federation);

/// FNV-1a, 64 bits.
std::uint64_t text_digest(std::string_view text);

/// Loads the data and makes all parts. Throws ScenarioError, ScenarioErrors. Refuses clients without examples,
/// devices that cannot hold a task and evaluation grids that cannot be measured.
Federation make_federation(const Scenario& resolved, const std::vector<std::string>& data_directories);

}  // namespace anybit
