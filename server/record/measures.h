#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/fleet.h"
#include "server/record/task_record.h"

namespace anybit {

/// Jain's index of fairness: (sum x)^2 / (n sum x^2); 1 where all are equal, 1/n where one has all; 1 where there is
/// nothing to share (Jain, Chiu and Hawe, A quantitative measure of fairness, 1984).
double jain_index(double sum, double sum_of_squares, double n);

/// What the tasks of one round came to on a simulated fleet.
struct RoundMeasures {
  double flops = 0;
  std::vector<double> joules;  // by class
  std::uint32_t wasted_tasks = 0;
  double wasted_flops = 0;  // of tasks whose update did not count
  double wasted_joules = 0;
  double fair_clients = 1;  // Jain's index of how often each client has counted so far
  double fair_classes = 1;  // the same of classes, for each its clients' mean
};

/// Adds tasks up round by round, and remembers who has taken part: how often each client counted, in pages that are
/// made when the first client of one counts, so that memory is bounded by the number of clients.
class Measures {
 public:
  Measures(const Fleet& fleet, std::uint32_t clients);

  /// Takes up the tasks of earlier rounds from tasks.csv.
  void restore(std::string_view lines);
  RoundMeasures round(const std::vector<TaskRecord>& tasks);
  const std::vector<std::string>& classes() const { return names_; }

 private:
  using Page = std::vector<std::uint32_t>;

  void count(const TaskRecord& task);

  std::uint32_t clients_;
  std::vector<std::string> names_;
  std::vector<double> members_;  // of each class, expected
  std::vector<std::unique_ptr<Page>> pages_;
  double counted_ = 0;
  double squares_ = 0;
  std::vector<double> counted_of_class_;
};

}  // namespace anybit
