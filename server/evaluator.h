#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/federated_data.h"
#include "nn/network.h"
#include "quant/model_quantizer.h"
#include "scenarios/scenario.h"
#include "wire/training_plan.h"

namespace anybit {

/// Accuracy of the global model at one grid point.
struct Accuracy {
  GridPoint point;
  double value = 0;  // fraction of the test examples
};

/// Examples of several holders, each to be tested at points of its own.
struct Questions {
  std::vector<GridPoint> points;                // the fit of the weights is the evaluator's own
  std::vector<std::vector<std::size_t>> asked;  // of each holder: which of the points
  /// A holder's examples, asked for by any thread with a scratch of its own.
  std::function<ExamplesView(std::size_t holder, ExamplePool& scratch)> examples;
};

/// Right answers: of each holder, at each point that it is asked about.
using Answers = std::vector<std::vector<std::int64_t>>;

/// How many examples are tested at once: as many as leave the largest weighted layer's input and output in a core's
/// cache (1 MiB) or make them as large as the parameters, which each batch reads once; 8 to 100. Never changes a
/// result.
int evaluation_batch(const Network& network);

/// Tests models at grid points, over `threads` threads; counts are integers, so threads never change the result.
class Evaluator {
 public:
  /// `method` trained the models: weights are fitted as in training, activations have the ranges that it left, and
  /// points of the range kTrainedRange are of its own quantizers.
  Evaluator(const std::shared_ptr<const Network>& network, const FederatedData& data, int threads, Method method = {});
  ~Evaluator();

  /// Activation ranges: those that training left in the parameters, else calibrated on the proxy share. Throws
  /// std::invalid_argument where training left no steps or quantizers for a point; see check_trained().
  std::vector<Accuracy> evaluate(const Parameters& parameters, const EvaluationGrid& grid);
  /// The same until `stop` says so: then nothing. All threads ask it, every few hundred examples.
  using StopSignal = std::function<bool()>;
  std::optional<std::vector<Accuracy>> evaluate(const Parameters& parameters, const EvaluationGrid& grid,
                                                const StopSignal& stop);

  /// The same of whichever examples are asked about; `grid` is where the points are from, for what is wrong with them.
  std::optional<Answers> count(const Parameters& parameters, const Questions& questions, const EvaluationGrid& grid,
                               const StopSignal& stop = {});

  /// How many of a grid's points are done, the begun one's share included, and how many there are. Called at the
  /// beginning and whenever a few hundred examples more were tested, by all threads, by one at a time.
  using Watcher = std::function<void(double done, std::size_t points)>;
  /// From now on evaluations tell the watcher; empty: nobody.
  void watch(Watcher watcher);

  /// The most bytes that an evaluation of these points holds at once: quantized copies, every thread's room to fit
  /// ranges, its workspace, and the method's quantizers where points ask for them.
  static std::size_t bytes(const NetworkPlan& trained, const std::vector<GridPoint>& points, int threads);
  /// Throws ScenarioError where the grid asks for activation widths and there are neither trained ranges nor a proxy.
  /// The method's own quantizers need none.
  static void check(const EvaluationGrid& grid, bool trains_ranges, std::int64_t proxy);
  /// Throws ScenarioErrors, one a reason, where the grid asks for what such a training does not leave: learned steps,
  /// or quantizers of the method's own for its widths.
  static void check_trained(const EvaluationGrid& grid, const NetworkPlan& trained);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
