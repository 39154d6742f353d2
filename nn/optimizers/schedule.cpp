#include "nn/optimizers/schedule.h"

#include "nn/arithmetic.h"

namespace anybit {
namespace {

using Setting = std::pair<std::string, OptionValue>;

const Setting kCosineOn = {"schedule", std::string("cosine")};
const Setting kStepOn = {"schedule", std::string("step")};
const Setting kFromTheStart = {"milestones", std::vector<double>{0.0}};

Schedule::Kind read_kind(const Options& options) {
  const std::string& name = options.text("schedule");
  if (name == "cosine") return Schedule::Kind::kCosine;
  if (name == "step") return Schedule::Kind::kStep;
  options.require(name == "constant", "schedule", "unknown schedule '" + name + "'; known: constant, cosine, step");
  return Schedule::Kind::kConstant;
}

}  // namespace

double Schedule::rate_at(double progress) const {
  double share = 1.0;
  if (kind == Kind::kCosine) {
    share = final_share + (1.0 - final_share) * 0.5 * (1.0 + fixed_cos2pi(0.5 * progress));
  } else if (kind == Kind::kStep) {
    for (const double milestone : milestones) share *= progress >= milestone ? factor : 1.0;
  }
  return rate * share;
}

std::vector<OptionRow> shared_optimizer_options(double rate) {
  return {
      {"rate", rate, rate / 5.0, "learning rate at the start"},
      {"decay", 0.0, 0.01, "L2 weight decay, added to the gradient"},
      {"clip", 0.0, 0.01, "largest global norm of the gradient; 0: no clipping"},
      {"schedule", std::string("constant"), std::string("cosine"), "constant, cosine or step, over the whole run"},
      {"final", 0.0, 0.5, "cosine: share of the rate that is left at the end", {kCosineOn}},
      {"milestones",
       std::vector<double>{0.5, 0.75},
       std::vector<double>{0.0},
       "step: shares of the run after which the rate is multiplied by factor",
       {kStepOn}},
      {"factor", 0.1, 0.5, "step: multiplies the rate at each milestone", {kStepOn, kFromTheStart}},
  };
}

Schedule read_schedule(const Options& options) {
  Schedule schedule;
  schedule.kind = read_kind(options);
  schedule.rate = options.non_negative("rate");
  schedule.final_share = options.non_negative("final");
  options.require(schedule.final_share <= 1.0, "final", "must be in [0, 1]");
  schedule.milestones = options.numbers("milestones");
  for (const double milestone : schedule.milestones)
    options.require(milestone >= 0.0 && milestone <= 1.0, "milestones", "must be shares of the run, in [0, 1]");
  schedule.factor = options.non_negative("factor");
  return schedule;
}

double read_fraction_below_one(const Options& options, const std::string& key) {
  const double value = options.number(key);
  options.require(value >= 0.0 && value < 1.0, key, "must be in [0, 1)");
  return value;
}

}  // namespace anybit
