// Models at points of the range "trained": by the quantizers of the method that trained them.
#include <gtest/gtest.h>

#include <algorithm>

#include "server/evaluator.h"
#include "tests/quant/slot_fixture.h"
#include "tests/server/small_model.h"

namespace anybit {
namespace {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

SmallModel model_of(const std::string& method, const Settings& settings, std::uint32_t proxy = 0) {
  return SmallModel(proxy, methods().make(method_part(method, settings)));
}

EvaluationGrid grid_of(std::vector<int> weights, std::vector<std::string> ranges, std::vector<int> activations = {32}) {
  EvaluationGrid grid;
  grid.where = {"s.toml", 12};
  grid.weights = std::move(weights);
  grid.activations = std::move(activations);
  grid.range = std::move(ranges);
  return grid;
}

/// Right answers on each test example, one by one: what any two points that quantize alike must agree on.
Answers answers(const SmallModel& model, const EvaluationGrid& grid, const GridPoint& point, int threads = 1) {
  Evaluator evaluator(model.network, model.data, threads, model.method);
  Questions questions;
  questions.points = {point};
  questions.asked.assign(model.data.test.size(), {0});
  questions.examples = [&](std::size_t holder, ExamplePool&) -> ExamplesView {
    const ExamplesView& test = model.data.test;
    return {test.shape, test.pixels, test.labels, test.indices.subspan(holder, 1)};
  };
  return evaluator.count(model.parameters, questions, grid).value();
}

void shorten_steps(SmallModel& model) {
  for (const TensorSpec& tensor : model.parameters.layout->tensors())
    if (tensor.role == Role::kQuantizer)
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) model.parameters.values[i] -= 1.0F;
}

TEST(TrainedPoints, AreTheLearnedStepsWhereThoseAreAll) {
  SmallModel model = model_of("lsq", {{"width", std::int64_t{4}}});
  shorten_steps(model);
  const EvaluationGrid grid = grid_of({4}, {"trained"});
  const auto at = [&](const char* range) { return answers(model, grid, {.weights = 4, .range = range}); };
  EXPECT_EQ(at("trained"), at("learned"));
  EXPECT_NE(at("trained"), at("minmax"));
}

TEST(TrainedPoints, AreTheRangeThatTrainingFitted) {
  for (const char* granularity : {"tensor", "channel"})
    for (const char* range : {"minmax", "mse"}) {
      const SmallModel model = model_of("qat", {{"range", range}, {"granularity", granularity}});
      const EvaluationGrid grid = grid_of({2}, {"trained"});
      EXPECT_EQ(answers(model, grid, {.weights = 2, .range = "trained"}),
                answers(model, grid, {.weights = 2, .range = range, .granularity = granularity}));
      EXPECT_NE(answers(model, grid, {.weights = 2, .range = "trained"}), answers(model, grid, {}));
    }
}

TEST(TrainedPoints, RoundWhereTrainingAddedNoise) {
  const SmallModel model = model_of("apqn", {{"widths", widths({2})}});
  const FloatBuffer before = model.parameters.values;
  Evaluator evaluator(model.network, model.data, 2, model.method);
  const EvaluationGrid grid = grid_of({2}, {"trained", "minmax"});
  const std::vector<Accuracy> first = evaluator.evaluate(model.parameters, grid);
  const std::vector<Accuracy> again = evaluator.evaluate(model.parameters, grid);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].value, first[1].value);
  EXPECT_EQ(again[0].value, first[0].value);
  EXPECT_EQ(model.parameters.values, before);
}

TEST(TrainedPoints, HaveWidthsOfTheirOwnForTheEnds) {
  const SmallModel model = model_of("qat", {});
  EvaluationGrid grid = grid_of({2}, {"trained"});
  const auto at = [&](const char* range, int first, int last) {
    return answers(model, grid, {.weights = 2, .range = range, .first = first, .last = last});
  };
  EXPECT_EQ(at("trained", 8, 0), at("minmax", 8, 0));
  EXPECT_EQ(at("trained", 0, 8), at("minmax", 0, 8));
  EXPECT_NE(at("trained", 8, 0), at("trained", 0, 0));
  EXPECT_NE(at("trained", 0, 8), at("trained", 0, 0));
  grid.first = 8;
  Evaluator evaluator(model.network, model.data, 1, model.method);
  const Accuracy whole = evaluator.evaluate(model.parameters, grid).at(0);
  EXPECT_EQ(whole.point.first, 8);
  std::int64_t right = 0;
  for (const std::vector<std::int64_t>& one : at("trained", 8, 0)) right += one[0];
  EXPECT_EQ(whole.value, static_cast<double>(right) / 730.0);
}

/// A small model whose activations have been seen.
SmallModel with_activations() {
  SmallModel model = model_of("lsq", {{"width", std::int64_t{4}}, {"activations", std::int64_t{3}}});
  const auto set = [&](const char* tensor, std::vector<float> values) {
    std::ranges::copy(values, model.parameters.tensor(model.parameters.layout->index(tensor)).begin());
  };
  set("conv.input.range", {-2, 2});
  set("dense.input.step3", {-3});
  return model;
}

TEST(TrainedPoints, HaveTheActivationsOfTheMethodWithoutAnyOtherRanges) {
  SmallModel model = with_activations();
  const EvaluationGrid grid = grid_of({32, 4}, {"trained"}, {32, 3});
  EXPECT_NO_THROW(Evaluator::check(grid, false, 0));
  EXPECT_THROW(Evaluator::check(grid_of({32, 4}, {"trained", "minmax"}, {32, 3}), false, 0), ScenarioError);
  model.method.has_activation_ranges = false;
  Evaluator evaluator(model.network, model.data, 3, model.method);
  const std::vector<Accuracy> results = evaluator.evaluate(model.parameters, grid);
  ASSERT_EQ(results.size(), 4U);
  const auto program =
      model.method.quantizers->make_program(model.network, model.parameters.layout, Passes::kEvaluation);
  program->begin_client(model.parameters.values);
  for (const Accuracy& result : results) {
    program->begin_step(slot_widths(*model.network, result.point), {});
    EXPECT_EQ(result.value, model.count(model.data.test, model.parameters, program.get()) / 730.0)
        << result.point.weights << "/" << result.point.activations;
  }
  EXPECT_NE(results[1].value, results[0].value);
  EXPECT_NE(results[3].value, results[2].value);
}

// Steps that training fits once a round are fitted to the model at hand.
TEST(TrainedPoints, AreOfEachModelThatComes) {
  SmallModel model = model_of("qat", {{"range", "mse"}});
  const EvaluationGrid grid = grid_of({2}, {"trained"});
  Evaluator evaluator(model.network, model.data, 1, model.method);
  const double first = evaluator.evaluate(model.parameters, grid).at(0).value;
  for (float& value : model.parameters.tensor(0)) value = value < 0.0F ? 8.0F * value : value;
  const double second = evaluator.evaluate(model.parameters, grid).at(0).value;
  EXPECT_EQ(second, Evaluator(model.network, model.data, 1, model.method).evaluate(model.parameters, grid).at(0).value);
  EXPECT_NE(second, first);
}

TEST(TrainedPoints, StandBesideOthersAtAnyNumberOfThreads) {
  const SmallModel model = model_of("qat", {{"activations", std::int64_t{4}}}, 230);
  EvaluationGrid grid = full_grid();
  grid.range.insert(grid.range.begin() + 1, "trained");
  const std::vector<Accuracy> expected =
      Evaluator(model.network, model.data, 1, model.method).evaluate(model.parameters, grid);
  const std::vector<Accuracy> results =
      Evaluator(model.network, model.data, 3, model.method).evaluate(model.parameters, grid);
  const std::vector<Accuracy> without =
      Evaluator(model.network, model.data, 1, model.method).evaluate(model.parameters, full_grid());
  ASSERT_EQ(expected.size(), 18U + 5U);
  std::vector<double> others;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(results[i].value, expected[i].value) << i;
    if (!asks_method(expected[i].point)) others.push_back(expected[i].value);
  }
  ASSERT_EQ(others.size(), without.size());
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(others[i], without[i].value) << i;
}

std::vector<std::string> refusals(const SmallModel& model, const EvaluationGrid& grid) {
  try {
    Evaluator::check_trained(grid, model.plan());
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

TEST(TrainedPoints, AreRefusedBeforehandWhereTheMethodHasNothingForThem) {
  const std::string start = "s.toml:12: range rule 'trained': ";
  const SmallModel plain = model_of("fedavg", {});
  const EvaluationGrid grid = grid_of({32, 8, 4}, {"minmax", "trained"}, {32, 8});
  EXPECT_EQ(refusals(plain, grid),
            std::vector<std::string>{start + "method 'fedavg' has no quantizers; choose another range "
                                             "rule, or train with one that has"});
  EXPECT_THROW(
      Evaluator(plain.network, plain.data, 1, plain.method).evaluate(plain.parameters, grid_of({4}, {"trained"})),
      std::invalid_argument);
  EXPECT_EQ(refusals(plain, grid_of({32}, {"trained"})), std::vector<std::string>());
  const SmallModel lsq = model_of("lsq", {{"width", std::int64_t{4}}});
  const std::vector<std::string> two = refusals(lsq, grid);
  ASSERT_EQ(two.size(), 2U) << "each reason once";
  EXPECT_TRUE(two[0].starts_with(start + "the method trained with float activations;")) << two[0];
  EXPECT_TRUE(two[1].starts_with(start + "the method learned no step of conv.weight at 8 bits;")) << two[1];
  EXPECT_EQ(refusals(lsq, grid_of({32, 4}, {"trained"})), std::vector<std::string>());
}

}  // namespace
}  // namespace anybit
