#pragma once

#include <string>
#include <vector>

#include "scenarios/table.h"

namespace anybit {

/// The learning rate over global progress p in [0, 1] (DESIGN D5).
///   constant: rate
///   cosine:   rate * (final + (1 - final) (1 + cos(pi p)) / 2)    (Loshchilov and Hutter, SGDR, ICLR 2017, one period)
///   step:     rate * factor^(number of milestones <= p)
struct Schedule {
  enum class Kind { kConstant, kCosine, kStep };
  Kind kind = Kind::kConstant;
  double rate = 0;
  double final_share = 0;
  std::vector<double> milestones;
  double factor = 1;

  double rate_at(double progress) const;
};

/// The rows that every optimiser shares: rate, decay, clip, schedule, final, milestones, factor.
std::vector<OptionRow> shared_optimizer_options(double rate);

/// Reads the schedule's options; ScenarioError for a value out of range.
Schedule read_schedule(const Options& options);

/// Reads an option that must be a number in [0, 1).
double read_fraction_below_one(const Options& options, const std::string& key);

}  // namespace anybit
