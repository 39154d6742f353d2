#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "server/checkpoint.h"
#include "server/evaluator.h"
#include "server/event_log.h"
#include "sim/federation.h"
#include "sim/federation_run.h"
#include "sim/output_file.h"
#include "sim/progress.h"
#include "sim/run_directory.h"

namespace anybit {

/// A federation that is run into a run directory: metrics, events, evaluations, checkpoints, and the model at the end.
class RecordedRun {
 public:
  /// `start` is version 0 or a checkpoint's state; metrics and events in the directory must end there. `kernels`: all
  /// sets that the run is made with (StartingPoint).
  RecordedRun(const Federation& federation, RunDirectory directory, FederationState start, std::string kernels,
              int threads);

  /// Runs to the end and writes model.ckpt; or until `stop` says so or a TransportError goes through, then with a
  /// checkpoint of the last round that stands in the metrics, be it none. True where all rounds are done. `stop` is
  /// asked by several threads, before each client's task and within evaluations.
  bool run(const std::function<bool()>& stop, Progress& progress);

  /// What the last round was measured at.
  const std::vector<Accuracy>& accuracy() const { return accuracy_; }
  std::uint32_t version() const { return run_.state().version; }
  /// The version that a resume goes on from; after run() only.
  std::uint32_t saved_version() const { return saved_version_.value_or(0); }
  /// Rounds without a valid update, those before a resume among them.
  std::uint32_t abandoned() const { return abandoned_; }
  /// Whether one of them, since the last resume, was for updates that are not finite.
  bool diverged() const { return diverged_; }

 private:
  enum class Grid { kNone, kRegular, kFinal };

  bool run_rounds(const std::function<bool()>& stop, Progress& progress);
  void conclude(const RoundRecord& record);
  Grid grid_of_round(std::uint32_t round) const;
  /// False where it was stopped; so finish(). evaluate_final() then has nothing.
  bool evaluate(RoundRecord& record, const std::function<bool()>& stop);
  std::optional<std::vector<Accuracy>> evaluate_final(const std::function<bool()>& stop);
  bool finish(const std::function<bool()>& stop);
  /// Into the checkpoint that is written next.
  void keep_state();
  void save_checkpoint();
  void save_what_is_new();

  using Clock = std::chrono::steady_clock;
  const Federation& federation_;
  RunDirectory directory_;
  OutputFile metrics_;
  EventLog events_;
  FederationRun run_;
  Evaluator evaluator_;
  Checkpoint checkpoint_;  // written again and again; its buffers stay
  std::optional<std::uint32_t> saved_version_;
  Clock::time_point saved_ = Clock::now();
  Clock::time_point flushed_ = Clock::now();
  std::vector<Accuracy> accuracy_;
  std::uint32_t abandoned_;
  bool diverged_ = false;
};

}  // namespace anybit
