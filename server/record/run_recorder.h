#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/checkpoint.h"
#include "server/evaluator.h"
#include "server/event_log.h"
#include "server/federation.h"
#include "server/record/metrics.h"
#include "server/record/output_file.h"
#include "server/record/run_directory.h"

namespace anybit {

/// What a federation leaves in its run directory while it goes on: events, metrics, evaluations, checkpoints, and the
/// model at the end. Whoever drives the coordinator tells it, in this order: events as they are taken; of a round that
/// is concluded evaluate(), then conclude(), then, where a checkpoint is wanted, save(); at last finish().
class RunRecorder {
 public:
  using Stop = std::function<bool()>;

  /// Metrics and events in the directory must end at `version`, of which there is a checkpoint unless it is 0.
  /// `kernels`: all sets that the run is made with (StartingPoint).
  RunRecorder(const Federation& federation, RunDirectory directory, std::string kernels, std::uint32_t version,
              int threads);

  void event(const LoggedEvent& event);

  /// Whether a round is evaluated.
  bool measures(std::uint32_t round) const { return grid_of_round(round) != Grid::kNone; }
  /// Evaluates the round where it is due. `stop` is asked by several threads; false where it said so.
  bool evaluate(RoundRecord& record, const Parameters& global, const Stop& stop);
  void conclude(const RoundRecord& record);

  /// Whether checkpoint.seconds of work are over since the last one, or this is the last round.
  bool checkpoint_is_due(std::uint32_t version) const;
  /// Writes a checkpoint. Returns when it and the lines that it promises are on the disk.
  void save(const FederationState& state);
  /// Into the checkpoint that save_what_is_kept() writes, unless there is one of this version already.
  void keep(const FederationState& state) { checkpoint_.state = state; }
  void save_what_is_kept();
  /// Writes model.ckpt; evaluates before where that was cut. False where `stop` said so.
  bool finish(const FederationState& state, const Stop& stop);

  /// What the last round was measured at.
  const std::vector<Accuracy>& accuracy() const { return accuracy_; }
  /// The version that a resume goes on from.
  std::uint32_t saved_version() const { return saved_version_.value_or(0); }
  /// Rounds without a valid update, those before a resume among them.
  std::uint32_t abandoned() const { return abandoned_; }
  /// Whether one of them, since the last resume, was for updates that are not finite.
  bool diverged() const { return diverged_; }

 private:
  enum class Grid { kNone, kRegular, kFinal };

  Grid grid_of_round(std::uint32_t round) const;
  std::optional<std::vector<Accuracy>> evaluate_final(const Parameters& global, const Stop& stop);

  using Clock = std::chrono::steady_clock;
  const Federation& federation_;
  RunDirectory directory_;
  OutputFile metrics_;
  EventLog events_;
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
