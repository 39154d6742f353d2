#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "program/live_line.h"
#include "server/record/metrics.h"

namespace anybit {

/// How far a run is.
struct RunStanding {
  std::uint32_t round = 0;  // versions made; abandoned rounds are none
  std::uint32_t rounds = 0;
  double seconds_left = 0;         // not finite: nothing to judge it by
  std::vector<Accuracy> accuracy;  // as last evaluated
  std::uint32_t accuracy_round = 0;
  std::uint64_t bytes_down = 0;
  std::uint64_t bytes_up = 0;
  double loss = 0;  // not finite: no client of the round has told one
};

/// Where a run stands that has `version` rounds behind it, and these lines of metrics.
RunStanding standing_after(std::uint32_t version, std::uint32_t rounds, const std::string& metrics);

/// "round 20/60  left 1:05  12/11 MB  % 32:96.8 4:91.0  loss 0.25": rounds, time left, bytes down and up, accuracy in
/// percent at each width of the weights, loss. Accuracies of an earlier round 10 end in "@10". At most `columns` long:
/// the loss is left out first, then "@10", the decimals of the accuracies, widths from the right.
std::string progress_line(const RunStanding& standing, std::size_t columns);

/// How a run is getting on: a live line on a terminal, which stands there from the first round's beginning on;
/// elsewhere a line for each evaluated round and at least one every ten seconds.
class Progress {
 public:
  /// Goes on from where the run stands.
  Progress(std::FILE* out, RunStanding start);

  void round(const RoundRecord& record);
  /// A line that stays.
  void tell(const std::string& text) { line_.tell(text); }
  /// What the round waits for, where it is time to tell it.
  void wait(const std::string& text);
  void end() { line_.end(); }

 private:
  void stand(const RoundRecord& record);
  void tell(std::uint32_t round, const std::string& failure);

  using Clock = std::chrono::steady_clock;
  LiveLine line_;
  std::uint32_t done_before_;
  RunStanding standing_;
  Clock::time_point begin_ = Clock::now();
  int told_ = 0;  // failures, of this minute
  Clock::time_point minute_ = begin_;
};

/// How an evaluation is getting on, "3/12 points  left 0:07": a live line on a terminal, gone at the end; elsewhere a
/// line every ten seconds.
class EvaluationProgress {
 public:
  explicit EvaluationProgress(std::FILE* out);
  ~EvaluationProgress() { line_.clear(); }

  /// See Evaluator::watch().
  void stand(double done, std::size_t points);

 private:
  using Clock = std::chrono::steady_clock;
  LiveLine line_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace anybit
