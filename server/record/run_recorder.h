#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/checkpoint.h"
#include "server/class_accuracy.h"
#include "server/evaluator.h"
#include "server/event_log.h"
#include "server/federation.h"
#include "server/record/metrics.h"
#include "server/record/output_file.h"
#include "server/record/resume.h"
#include "server/record/run_directory.h"

namespace anybit {

/// What a federation leaves in its run directory while it goes on: events, metrics, evaluations, checkpoints, and the
/// model at the end. Whoever drives the coordinator tells it, in this order: events as they are taken; of a round that
/// is concluded evaluate(), then conclude(), then, where a checkpoint is wanted, save(); at last finish().
/// The line of a round that is concluded follows its event at once, whenever the rest comes.
class RunRecorder {
 public:
  using Stop = std::function<bool()>;

  /// Metrics and events in the directory must end at `start`, of which there is a checkpoint unless it is the very
  /// beginning. `kernels`: all sets that the run is made with (StartingPoint). The last version is tested by class of
  /// the fleet, too, where this process trains: clients elsewhere may have data of their own.
  RunRecorder(const Federation& federation, RunDirectory directory, std::string kernels, const FederationState& start,
              int threads, WhoTrains who = WhoTrains::kClients);

  void event(const LoggedEvent& event);
  /// Somebody works for the run with these kernels (nn/kernel_set.h): checkpoints say it from now on.
  void note_kernels(const std::string& kernels);

  /// Whether a version is evaluated.
  bool measures(std::uint32_t version) const { return grid_of(version) != Grid::kNone; }
  /// Whether the round made one that is.
  bool measures(const RoundReport& report) const { return !report.abandoned && measures(report.version); }
  /// Evaluates the round where it is due. `stop` is asked by several threads; false where it said so.
  bool evaluate(RoundRecord& record, const Parameters& global, const Stop& stop);
  void conclude(const RoundRecord& record);

  /// Whether checkpoint.seconds of work are over since the last one, or this is the last round.
  bool checkpoint_is_due(std::uint32_t version) const;
  /// Writes a checkpoint. Returns when it and the lines that it promises are on the disk. `client_states`: of the
  /// clients in state.counted, where this process plays them.
  void save(const FederationState& state, const ClientStateReader* client_states = nullptr);
  /// Into the checkpoint that save_what_is_kept() writes, unless there is one of this round already.
  void keep(const FederationState& state) { checkpoint_.state = state; }
  /// `client_states`: as of what was kept.
  void save_what_is_kept(const ClientStateReader* client_states = nullptr);
  /// Writes model.ckpt; evaluates before where that was cut. False where `stop` said so.
  bool finish(const FederationState& state, const Stop& stop);

  /// For the screen, once the run is finished: what its last round was measured at, and where the model is.
  std::string result_text() const;
  /// The round that a resume goes on after.
  std::uint32_t saved_round() const { return saved_round_.value_or(0); }
  /// Rounds with too few valid updates, and versions that were given up, those before a resume among them.
  std::uint32_t abandoned() const { return abandoned_; }
  /// How many rounds were abandoned, why, and what may help; "" where none was.
  std::string abandoned_text(const FederationState& state) const;
  /// The same of a federation that gave up, and where its last version is. `nobody_left`: EndFederation::nobody_left.
  std::string given_up_text(const FederationState& state, bool nobody_left = false) const;

 private:
  enum class Grid { kNone, kRegular, kFinal };

  std::string why_abandoned() const;
  std::string why_nobody_is_left() const;
  /// What may help against failures such as these.
  std::string remedy() const;
  void write_tasks(const std::vector<TaskRecord>& tasks);
  Grid grid_of(std::uint32_t version) const;
  /// Into accuracy_ and classes_. False where `stop` said so.
  bool evaluate_final(const Parameters& global, const Stop& stop);

  using Clock = std::chrono::steady_clock;
  const Federation& federation_;
  RunDirectory directory_;
  OutputFile metrics_;
  EventLog events_;
  Evaluator evaluator_;
  Checkpoint checkpoint_;  // written again and again; its buffers stay
  std::optional<std::uint32_t> saved_round_;
  Clock::time_point saved_ = Clock::now();
  Clock::time_point flushed_ = Clock::now();
  const WhoTrains who_;
  std::vector<Accuracy> accuracy_;  // of the last version
  std::vector<ClassAccuracy> classes_;
  std::uint32_t abandoned_;
  const bool tries_again_;  // after it gave up
  Measures measures_;
  std::optional<OutputFile> tasks_;  // once a fleet takes time
  bool diverged_ = false;            // whether one of them, since the last resume, was for updates that are not finite
  std::string failure_;              // of the last of them, one reason
  bool overdue_ = false;             // whether somebody missed the deadline of it
};

}  // namespace anybit
