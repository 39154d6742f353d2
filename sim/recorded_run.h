#pragma once

#include <functional>
#include <string>

#include "server/federation.h"
#include "server/record/progress.h"
#include "server/record/run_directory.h"
#include "server/record/run_recorder.h"
#include "sim/federation_run.h"

namespace anybit {

/// A federation in virtual time that is run into a run directory.
class RecordedRun {
 public:
  /// `start` is version 0 or a checkpoint's state, `client_states` are that checkpoint's, read now; for the rest see
  /// RunRecorder.
  RecordedRun(const Federation& federation, RunDirectory directory, FederationState start, std::string kernels,
              int threads, const ClientStateReader* client_states = nullptr);

  /// Runs to the end and writes model.ckpt; or until the federation gives up, `stop` says so or a TransportError goes
  /// through, then with a checkpoint of the last round that stands in the metrics, be it none. True where all rounds
  /// are done. `stop` is asked by several threads, before each client's task and within evaluations.
  bool run(const std::function<bool()>& stop, Progress& progress);

  const FederationState& state() const { return run_.state(); }
  bool gave_up() const { return run_.gave_up(); }
  /// Why it gave up, after run().
  std::string given_up_text() const { return recorder_.given_up_text(state(), run_.nobody_left()); }
  /// What was recorded; the round that a resume goes on after is there after run() only.
  const RunRecorder& recorder() const { return recorder_; }

 private:
  bool run_rounds(const std::function<bool()>& stop, Progress& progress);

  const Federation& federation_;
  RunRecorder recorder_;
  FederationRun run_;
};

}  // namespace anybit
