#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "server/checkpoint.h"
#include "server/event_log.h"
#include "server/evaluator.h"
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
  /// checkpoint of the last concluded round. True where all rounds are done.
  bool run(const std::function<bool()>& stop, Progress& progress);

  /// What the last round was measured at.
  const std::vector<Accuracy>& accuracy() const { return accuracy_; }
  std::uint32_t version() const { return run_.state().version; }
  /// Rounds without a valid update, those before a resume among them.
  std::uint32_t abandoned() const { return abandoned_; }

 private:
  bool run_rounds(const std::function<bool()>& stop, Progress& progress);
  void conclude(RoundRecord& record);
  void evaluate(RoundRecord& record);
  std::vector<Accuracy> evaluate_final();
  void save_checkpoint();
  void save_what_is_new();
  void finish();

  using Clock = std::chrono::steady_clock;
  const Federation& federation_;
  RunDirectory directory_;
  OutputFile metrics_;
  EventLog events_;
  FederationRun run_;
  Evaluator evaluator_;
  Checkpoint checkpoint_;                 // written again and again; its buffers stay
  std::uint32_t saved_version_;
  Clock::time_point saved_ = Clock::now();
  Clock::time_point flushed_ = Clock::now();
  std::vector<Accuracy> accuracy_;
  std::uint32_t abandoned_;
};

}  // namespace anybit
