#include "server/evaluator.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "nn/gradient.h"
#include "nn/parallel.h"
#include "server/grid_points.h"

namespace anybit {
namespace {

constexpr std::size_t kItemExamples = 500;  // one item of work for a thread, at one grid point: so many or a few more
constexpr std::size_t kModelsAtOnce = 8;    // quantized copies of the weights alive at any moment

// No copy with quantized weights is made: they stay float, or the method's quantizers see to them in every pass.
bool keeps_weights(const GridPoint& p) { return p.weights == kFloatWidth || is_trained(p); }

bool same_weights(const GridPoint& a, const GridPoint& b) {
  if (keeps_weights(a) && keeps_weights(b)) return true;
  return a.weights == b.weights && a.range == b.range && a.granularity == b.granularity;
}

[[noreturn]] void refuse_without_ranges(const EvaluationGrid& grid) {
  throw ScenarioError(grid.where,
                      "activation widths below 32 need ranges: set data.proxy to a number of examples to calibrate on, "
                      "or train with a method that learns activation ranges");
}

std::size_t pieces(std::size_t size, std::size_t piece) { return (size + piece - 1) / piece; }

}  // namespace

int evaluation_batch(const Network& network) {
  constexpr std::size_t kCache = std::size_t{1} << 20U;
  constexpr std::size_t kLeast = 8, kMost = 100;
  std::size_t floats = 0;
  for (const WeightedLayer& layer : network.weighted_layers())
    floats = std::max(
        floats, network.input_of(layer.node).size() + network.shapes()[static_cast<std::size_t>(layer.node)].size());
  std::size_t parameters = 0;
  for (const TensorSpec& tensor : network.tensors()) parameters += tensor.size;
  const std::size_t fits = std::max(kCache, parameters * sizeof(float)) / (floats * sizeof(float));
  return static_cast<int>(std::clamp(fits, kLeast, kMost));
}

namespace {

struct Stopped {};

/// An evaluation on its way, as those see it who stop and watch it; for all its threads.
class Watched {
 public:
  Watched(const Evaluator::StopSignal& stop, const Evaluator::Watcher& watcher) : stop_(stop), watcher_(watcher) {}

  /// Before each item of work: parallel_for() starts no other after an exception.
  void go_on() const {
    if (stop_ && stop_()) throw Stopped{};
  }

  /// So many points lie ahead, in so many parts all together.
  void begin(std::size_t points, std::size_t parts) {
    points_ = points;
    parts_ = parts;
    tell(0);
  }

  void part_done() { tell(1); }

 private:
  void tell(std::size_t more) {
    if (!watcher_) return;
    const std::lock_guard lock(mutex_);
    done_ += more;
    watcher_(static_cast<double>(done_ * points_) / static_cast<double>(parts_), points_);
  }

  const Evaluator::StopSignal& stop_;
  const Evaluator::Watcher& watcher_;
  std::size_t points_ = 0;
  std::size_t parts_ = 1;
  std::mutex mutex_;
  std::size_t done_ = 0;  // parts
};

/// What one evaluation does: points, and the different sets of weights that they need.
struct Plan {
  std::vector<GridPoint> points;
  std::vector<GridPoint> models;      // a point for each different set of weights
  std::vector<std::size_t> model_of;  // by point
  std::vector<Range> ranges;          // of the activations; empty where no point needs them
};

Plan plan_evaluation(std::vector<GridPoint> points, const WeightFit& fit) {
  Plan plan;
  plan.points = std::move(points);
  for (GridPoint& point : plan.points) point.fit = fit;
  for (const GridPoint& point : plan.points) {
    const auto same = std::ranges::find_if(plan.models, [&](const GridPoint& p) { return same_weights(p, point); });
    plan.model_of.push_back(static_cast<std::size_t>(same - plan.models.begin()));
    if (same == plan.models.end()) plan.models.push_back(point);
  }
  return plan;
}

/// What a thread has for itself, made inside it and kept.
struct Worker {
  std::optional<Workspace> workspace;
  ExamplePool scratch;
  std::unique_ptr<SlotProgram> quantizers;  // the method's
  std::shared_ptr<const Layout> layout;     // that they are for
  bool is_begun = false;                    // they have seen this evaluation's parameters
};

}  // namespace

struct Evaluator::State {
  std::shared_ptr<const Network> network;
  const FederatedData& data;
  int threads;
  const Method method;
  std::size_t batch;
  std::vector<Worker> workers;
  std::vector<std::uint32_t> picks;  // 0, 1, 2, ...: enough for a batch
  Watcher watcher;

  /// Examples of one item of work.
  std::size_t item_examples() const { return batch * pieces(kItemExamples, batch); }

  Workspace& workspace(int worker) {
    std::optional<Workspace>& slot = workers[static_cast<std::size_t>(worker)].workspace;
    if (!slot) slot.emplace(network, static_cast<int>(batch), Mode::kInference);
    return *slot;
  }

  /// Runs examples [begin, end) batch by batch; returns the right answers.
  std::int64_t run(Workspace& workspace, const ExamplesView& examples, std::size_t begin, std::size_t end,
                   const Parameters& parameters, SlotFunction* function) const {
    std::int64_t correct = 0;
    while (begin < end) {
      const std::size_t size = std::min(batch, end - begin);
      const ExamplesView some{examples.shape, examples.pixels, examples.labels, examples.indices.subspan(begin, size)};
      const Batch gathered =
          gather(some, std::span(picks).first(size), data.normalization, workspace.images(), workspace.labels());
      const std::span<const float> outputs = forward(workspace, parameters.values, gathered, {.function = function});
      correct += count_correct(outputs, gathered.labels, data.classes);
      begin += size;
    }
    return correct;
  }

  /// The method's own quantizers at this point, for the worker's passes until it asks again.
  SlotFunction* trained_quantizers(const Parameters& parameters, const GridPoint& point, int worker) {
    Worker& own = workers[static_cast<std::size_t>(worker)];
    if (!own.quantizers || own.layout != parameters.layout) {
      own.quantizers = method.quantizers->make_program(network, parameters.layout, Passes::kEvaluation);
      own.layout = parameters.layout;
      own.is_begun = false;
    }
    if (!own.is_begun) own.quantizers->begin_client(parameters.values);
    own.is_begun = true;
    own.quantizers->begin_step(slot_widths(*network, point), {});
    return own.quantizers.get();
  }

  /// One float pass over the proxy share; an observer per batch, joined in order.
  std::vector<Range> calibrate(const Parameters& parameters, const Watched& course) {
    const std::size_t batches = pieces(data.proxy.size(), batch);
    std::vector<std::vector<Range>> seen(batches);
    parallel_for(batches, threads, [&](std::size_t item, int worker) {
      course.go_on();
      RangeObserver observer(*network);
      const std::size_t begin = item * batch;
      run(workspace(worker), data.proxy, begin, std::min(begin + batch, data.proxy.size()), parameters, &observer);
      seen[item] = observer.ranges();
    });
    std::vector<Range> ranges = seen.at(0);
    for (const std::vector<Range>& one : seen)
      for (std::size_t i = 0; i < ranges.size(); ++i)
        ranges[i] = {std::min(ranges[i].low, one[i].low), std::max(ranges[i].high, one[i].high)};
    return ranges;
  }

  std::vector<Accuracy> evaluate(const Parameters& parameters, const EvaluationGrid& grid, const StopSignal& stop);
  Answers count(const Parameters& parameters, const Questions& questions, const EvaluationGrid& grid,
                const StopSignal& stop);
  void count_some(const Parameters& parameters, const Plan& plan, const Questions& questions, std::size_t first_model,
                  std::size_t models, Watched& course, Answers& answers);
  /// With the weights of `model`, and the point's activations.
  std::int64_t count_at(const Plan& plan, std::size_t point, const Parameters& model, const ExamplesView& examples,
                        int worker, const Watched& course);
};

std::int64_t Evaluator::State::count_at(const Plan& plan, std::size_t point, const Parameters& model,
                                        const ExamplesView& examples, int worker, const Watched& course) {
  const GridPoint& at = plan.points[point];
  std::unique_ptr<SlotFunction> activations;
  if (needs_ranges(at)) activations = make_activation_quantizer(*network, plan.ranges, at);
  SlotFunction* const function = asks_method(at) ? trained_quantizers(model, at, worker) : activations.get();
  std::int64_t correct = 0;
  for (std::size_t begin = 0; begin < examples.size(); begin += item_examples()) {
    course.go_on();
    const std::size_t end = std::min(begin + item_examples(), examples.size());
    correct += run(workspace(worker), examples, begin, end, model, function);
  }
  return correct;
}

void Evaluator::State::count_some(const Parameters& parameters, const Plan& plan, const Questions& questions,
                                  std::size_t first_model, std::size_t models, Watched& course, Answers& answers) {
  std::vector<Parameters> quantized(models);  // empty where the weights are kept
  parallel_for(models, threads, [&](std::size_t item, int) {
    course.go_on();
    const GridPoint& point = plan.models[first_model + item];
    if (!keeps_weights(point)) quantized[item] = quantize_weights(*network, parameters, point);
  });
  const auto is_one_of_these = [&](std::size_t point) {
    return plan.model_of[point] >= first_model && plan.model_of[point] < first_model + models;
  };
  parallel_for(questions.asked.size(), threads, [&](std::size_t holder, int worker) {
    const std::vector<std::size_t>& asked = questions.asked[holder];
    if (std::ranges::none_of(asked, is_one_of_these)) return;
    const ExamplesView examples = questions.examples(holder, workers[static_cast<std::size_t>(worker)].scratch);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!is_one_of_these(asked[i])) continue;
      const Parameters& model = quantized[plan.model_of[asked[i]] - first_model];
      answers[holder][i] =
          count_at(plan, asked[i], model.values.empty() ? parameters : model, examples, worker, course);
      course.part_done();
    }
  });
}

Evaluator::Evaluator(const std::shared_ptr<const Network>& network, const FederatedData& data, int threads,
                     Method method)
    : state_(new State{network,
                       data,
                       std::max(threads, 1),
                       std::move(method),
                       static_cast<std::size_t>(evaluation_batch(*network)),
                       std::vector<Worker>(static_cast<std::size_t>(std::max(threads, 1))),
                       {},
                       {}}) {
  if (data.test.size() == 0) throw std::invalid_argument("evaluator: there are no test examples");
  state_->picks.resize(state_->batch);
  std::iota(state_->picks.begin(), state_->picks.end(), 0U);
}

Evaluator::~Evaluator() = default;

Answers Evaluator::State::count(const Parameters& parameters, const Questions& questions, const EvaluationGrid& grid,
                                const StopSignal& stop) {
  Plan plan = plan_evaluation(questions.points, method.weight_fit);
  for (const GridPoint& point : plan.points)
    if (!method.quantizers && asks_method(point))
      throw std::invalid_argument(trained_mismatch(method, network, parameters.layout, point));
  for (Worker& worker : workers) worker.is_begun = false;
  Watched course(stop, watcher);
  Answers answers;
  std::size_t parts = 0;
  for (const std::vector<std::size_t>& asked : questions.asked) {
    answers.emplace_back(asked.size(), 0);
    parts += asked.size();
  }
  course.begin(plan.points.size(), parts);
  if (std::ranges::any_of(plan.points, needs_ranges)) {
    if (method.quantizers) plan.ranges = method.quantizers->activation_ranges(*network, parameters);
    if (plan.ranges.empty()) {
      if (data.proxy.size() == 0) refuse_without_ranges(grid);
      plan.ranges = calibrate(parameters, course);
    }
  }
  for (std::size_t first = 0; first < plan.models.size(); first += kModelsAtOnce)
    count_some(parameters, plan, questions, first, std::min(kModelsAtOnce, plan.models.size() - first), course,
               answers);
  return answers;
}

/// Each part of the test examples at each point is a holder.
std::vector<Accuracy> Evaluator::State::evaluate(const Parameters& parameters, const EvaluationGrid& grid,
                                                 const StopSignal& stop) {
  Questions questions;
  questions.points = grid_points(grid);
  const ExamplesView& test = data.test;
  const std::size_t step = item_examples(), parts = pieces(test.size(), step);
  for (std::size_t point = 0; point < questions.points.size(); ++point)
    questions.asked.insert(questions.asked.end(), parts, std::vector<std::size_t>{point});
  questions.examples = [&](std::size_t holder, ExamplePool&) -> ExamplesView {
    const std::size_t begin = (holder % parts) * step;
    return {test.shape, test.pixels, test.labels, test.indices.subspan(begin, std::min(step, test.size() - begin))};
  };
  const Answers answers = count(parameters, questions, grid, stop);
  std::vector<Accuracy> results;
  for (std::size_t i = 0; i < questions.points.size(); ++i) {
    std::int64_t sum = 0;
    for (std::size_t part = 0; part < parts; ++part) sum += answers[i * parts + part].front();
    results.push_back({questions.points[i], static_cast<double>(sum) / static_cast<double>(test.size())});
    results.back().point.fit = method.weight_fit;
  }
  return results;
}

std::vector<Accuracy> Evaluator::evaluate(const Parameters& parameters, const EvaluationGrid& grid) {
  return state_->evaluate(parameters, grid, {});
}

std::optional<std::vector<Accuracy>> Evaluator::evaluate(const Parameters& parameters, const EvaluationGrid& grid,
                                                         const StopSignal& stop) {
  try {
    return state_->evaluate(parameters, grid, stop);
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

std::optional<Answers> Evaluator::count(const Parameters& parameters, const Questions& questions,
                                        const EvaluationGrid& grid, const StopSignal& stop) {
  try {
    return state_->count(parameters, questions, grid, stop);
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

void Evaluator::watch(Watcher watcher) { state_->watcher = std::move(watcher); }

std::size_t Evaluator::bytes(const NetworkPlan& trained, const std::vector<GridPoint>& points, int threads) {
  const Plan plan = plan_evaluation(points, {});
  std::size_t quantized = 0, room = 0, quantizers = 0;
  for (const GridPoint& point : plan.models) {
    if (keeps_weights(point)) continue;
    ++quantized;
    room = std::max(room, quantizing_bytes(*trained.network, point));
  }
  // A grid that no version is tested on was not checked.
  if (trained.method.quantizers && std::ranges::any_of(points, asks_method)) {
    const auto program = trained.method.quantizers->make_program(trained.network, trained.layout, Passes::kEvaluation);
    program->begin_client(FloatBuffer(trained.layout->size()));
    quantizers = program->bytes();
  }
  const std::size_t at_once = std::min(quantized, kModelsAtOnce);
  const std::size_t workers = static_cast<std::size_t>(threads);
  const Workspace workspace(trained.network, evaluation_batch(*trained.network), Mode::kInference);
  return at_once * trained.layout->size() * sizeof(float) + std::min(at_once, workers) * room +
         workers * (workspace.bytes() + quantizers);
}

void Evaluator::check(const EvaluationGrid& grid, bool trains_ranges, std::int64_t proxy) {
  if (!trains_ranges && proxy == 0 && std::ranges::any_of(grid_points(grid), needs_ranges)) refuse_without_ranges(grid);
}

void Evaluator::check_trained(const EvaluationGrid& grid, const NetworkPlan& trained) {
  Mistakes mistakes;
  std::set<std::string> known;
  for (const GridPoint& point : grid_points(grid)) {
    const std::string mismatch = point_mismatch(trained, point);
    if (!mismatch.empty() && known.insert(mismatch).second) mistakes.add({grid.where, mismatch});
  }
  mistakes.throw_if_any();
}

}  // namespace anybit
