#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/participant_settings.h"
#include "client/state_file.h"
#include "client/training_job.h"

namespace anybit {

/// What a client makes of the scenario that its server welcomed it with. The scenario is the server's, so nothing of
/// the size that it names is taken before the owner's limits and the machine's memory were asked; and a task is held to
/// its offer, the offer to the scenario.
struct ClientRun {
  /// Reads the data, and tries a few steps where the owner set limits. CommandError, ScenarioError or ScenarioErrors
  /// where scenario, data and settings do not fit each other. Borrows the settings.
  ClientRun(const Welcome& welcome, const ParticipantSettings& settings);

  /// Why an offered task is not taken; "" where it is.
  std::string refuse(const Offer& offer) const;
  /// Trains the task in the job, which is made for the first one. Returns "" or why it cannot be.
  std::string start(const TaskMessage& task, FloatBuffer kept);
  bool at_work() const { return job && job->at_work(); }
  /// For people: "round 3", or "task 17" where rounds are asynchronous and so tasks have numbers of their own.
  std::string name_of(const TaskId& task) const;

  const ParticipantSettings& settings;
  std::uint64_t run;
  Scenario scenario;
  LocalData data;
  TrainingPlan plan;
  std::uint32_t client;
  std::unique_ptr<TrainingJob> job;
  VersionedState state;
  std::optional<StateFile> state_file;  // where the method keeps a state

 private:
  std::string refuse_run();
  std::string refuse_size(const Offer& offer) const;

  Fleet fleet_;
  std::span<const int> widths_;
  TaskCost cost_;        // measured where the owner set limits
  std::string refusal_;  // of every task of this run
};

/// "" or in what the task is another one than the client has accepted.
std::string differs(const TaskMessage& task, const Offer& offer);

}  // namespace anybit
