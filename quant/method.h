#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/gradient.h"
#include "nn/network.h"
#include "scenarios/table.h"
#include "scenarios/width.h"

namespace anybit {

/// When a decision is made: the draw's name carries seed, round, client and step; progress is global in [0, 1].
struct Moment {
  DrawName draw;
  double progress = 0;
  std::span<const int> device_widths;  // of the client's fleet class; empty without a fleet
};

/// Part 1: which width each slot uses at this step. Writes widths[slot] for every slot of the network; 32 = float.
class BitSchedule {
 public:
  virtual ~BitSchedule() = default;
  virtual void choose(const Moment& moment, std::span<const SlotSite> sites, std::span<std::uint8_t> widths) const = 0;
};

/// The per-thread working form of part 2: a slot function that is told the widths of each step.
class SlotProgram : public SlotFunction {
 public:
  /// Part 8, after a broadcast: what a client fixes once for its round (MSE steps, say), from the received buffer.
  virtual void begin_client(std::span<const float> parameters) = 0;
  /// Throws std::invalid_argument for widths that a quantizer has nothing for; none of those of the method's schedule.
  virtual void begin_step(std::span<const std::uint8_t> widths, const Moment& moment) = 0;
  /// How many of the client's steps trained each tensor of the layout: adds to steps[tensor] for the tensors that only
  /// some widths use. Called once after each step.
  virtual void count_trained(std::span<std::uint32_t> steps) const = 0;
  /// Of what it keeps, from its first client on.
  virtual std::size_t bytes() const = 0;
};

/// Range of one activation slot.
struct Range {
  float low = 0;
  float high = 0;
};

/// What a program's passes are for: to train, or to see what the trained network computes with few bits. The latter are
/// a function of parameters and widths: they round where training may add noise, and keep nothing.
enum class Passes : std::uint8_t { kTraining, kEvaluation };

/// Part 2: the quantizers of the slots. Declares the tensors that they learn or keep, and their first values.
class SlotQuantizers {
 public:
  virtual ~SlotQuantizers() = default;
  virtual std::vector<TensorSpec> tensors(const Network& network) const = 0;
  virtual void initialize(const Network& network, const Layout& layout, std::span<float> values) const = 0;
  virtual std::unique_ptr<SlotProgram> make_program(std::shared_ptr<const Network> network,
                                                    std::shared_ptr<const Layout> layout,
                                                    Passes passes = Passes::kTraining) const = 0;
  /// What training left of the range of every activation slot, in order; empty where it leaves none. [0, 0] is of a
  /// slot that no batch came to.
  virtual std::vector<Range> activation_ranges(const Network& /*network*/, const Parameters& /*parameters*/) const {
    return {};
  }
};

/// Part 3: a penalty on the parameters. Adds its gradient and returns its value.
class Penalty {
 public:
  virtual ~Penalty() = default;
  virtual double add(const Network& network, std::span<const float> parameters, std::span<float> gradients) const = 0;
};

/// What a step rule can ask for: the gradient of the batch at given widths.
class StepGradient {
 public:
  virtual ~StepGradient() = default;
  /// `update_statistics`: whether this pass moves running statistics; one pass of a step does.
  virtual Score at(std::span<const std::uint8_t> widths, std::span<float> gradients, bool update_statistics) = 0;
};

/// Part 6: how many gradients on one batch and how they combine into `gradients`.
class StepRule {
 public:
  virtual ~StepRule() = default;
  /// Further buffers of the layout's size that one step needs.
  virtual int scratch_buffers() const = 0;
  /// How many gradients a step takes: what it costs, as a multiple of a plain one.
  virtual int gradients() const = 0;
  /// `widths` are the schedule's for this step; the rule may overwrite them.
  virtual Score step(StepGradient& gradient, std::span<std::uint8_t> widths, std::span<float> gradients,
                     std::span<float> scratch) const = 0;
};

/// Part 8, before an upload: what a client keeps from one of its rounds to the next (an error-feedback residual,
/// control variates, ...), and what that does to its update. Only settings live here: the floats are the caller's, who
/// sees to it that a state counts only where its update does (DESIGN D8). So the result must be a function of the
/// arguments.
class ClientState {
 public:
  virtual ~ClientState() = default;
  /// How many floats a client keeps; before its first update they are zero.
  virtual std::size_t floats(const Layout& layout) const = 0;
  /// `state` is what the client kept, and becomes what it keeps from this update on. `delta` is local minus received,
  /// of the layout's size, and becomes what is encoded; of a tensor that is not uploaded nobody hears. `draw` names the
  /// client's round, for draws of the part's own: step and layer are free.
  virtual void before_upload(const Layout& layout, const DrawName& draw, std::span<float> state,
                             std::span<float> delta) const = 0;
};

/// How a method's grids for the weights are made, beside rule, width and granularity. Evaluation uses the same.
struct WeightFit {
  bool full_range = false;   // codes from -2^(b-1) instead of -(2^(b-1)-1)
  double percentile = 99.9;  // of range rule "percentile"
};

/// A training method: a bundle of optional parts (DESIGN D5). An empty part costs nothing; all empty is FedAvg. Parts
/// of the list that no method here uses yet (views, update rules, server part, post stage, score) get their pointer
/// beside these on the day the first method needs them.
struct Method {
  std::string name;
  std::function<Description(Description)> rewrite;
  std::shared_ptr<const BitSchedule> schedule;
  std::shared_ptr<const SlotQuantizers> quantizers;
  std::shared_ptr<const Penalty> penalty;
  std::shared_ptr<const Loss> loss;
  std::shared_ptr<const StepRule> rule;
  std::shared_ptr<const ClientState> client_state;
  /// The quantizers leave ranges of activations.
  bool has_activation_ranges = false;
  WeightFit weight_fit;
  /// Why the method cannot train this network on devices of these widths (those of one fleet class; empty without a
  /// fleet); "" where it can. Asked before a run, once for each class. Empty: it trains everything.
  std::function<std::string(const Network&, std::span<const int> device_widths)> refuse;
};

using MethodTable = Table<Method>;
/// fedavg, kure, apqn, qat, mqat, joint, lsq, lsqplus.
const MethodTable& methods();

/// The layout of a network under a method: the network's tensors, then the method's.
std::shared_ptr<const Layout> make_layout(const Network& network, const Method& method);
/// First values of all of them.
Parameters make_parameters(const Network& network, const Method& method, std::shared_ptr<const Layout> layout,
                           std::uint64_t seed);
/// How many floats each client keeps between its rounds; 0 where the method keeps none.
std::size_t client_floats(const Method& method, const Layout& layout);

}  // namespace anybit
