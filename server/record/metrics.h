#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/class_accuracy.h"
#include "server/coordinator.h"
#include "server/evaluator.h"
#include "server/record/measures.h"
#include "server/record/task_record.h"

namespace anybit {

/// All that is written down of one round.
struct RoundRecord {
  RoundReport report;
  double seconds = 0;            // wall time of the round, without evaluation
  std::uint64_t bytes_down = 0;  // server to clients, on the frames that were sent
  std::uint64_t bytes_up = 0;
  std::vector<Accuracy> accuracy;      // empty: not evaluated in this round
  std::vector<ClassAccuracy> classes;  // of the last version only; empty: there is no fleet
  std::optional<double> time = {};     // virtual seconds since the run's beginning; none where devices take no time
  std::vector<TaskRecord> tasks = {};  // those that ended in this round, in this order; empty where they take no time
  std::vector<std::string> failures;   // the first few reasons, for the screen
};

/// The round as one line of metrics.jsonl, without the line's end. `measures`: of a fleet with these classes; null
/// where its devices take no time.
std::string metrics_line(const RoundRecord& record, const RoundMeasures* measures = nullptr,
                         const std::vector<std::string>& classes = {});

/// The round that a line is about; 0 where it is no whole metrics line.
std::uint32_t round_of_metrics_line(const std::string& line);

/// What the lines of a metrics file add up to.
struct EarlierRounds {
  std::uint64_t bytes_down = 0;
  std::uint64_t bytes_up = 0;
  std::vector<Accuracy> accuracy;    // as last evaluated
  std::uint32_t accuracy_round = 0;  // the version that this is of
};
EarlierRounds read_earlier_rounds(const std::string& lines);

/// How many lines of a metrics file tell of an abandoned round.
std::uint32_t count_abandoned(const std::string& lines);

/// [{"weights": 4, "activations": 32, "range": "mse", "granularity": "tensor", "value": 0.91}, ...]; "first" and "last"
/// before the value where the grid sets them. docs/metrics.md has the meaning.
std::string accuracies_json(const std::vector<Accuracy>& accuracies);

/// [{"class": "phone", "weights": 8, "activations": 32, "clients": 70, "own": 0.93, "unseen": 0.91}, ...]; null where
/// nothing could be measured.
std::string classes_json(const std::vector<ClassAccuracy>& classes);

}  // namespace anybit
