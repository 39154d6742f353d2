#include "server/evaluator.h"

#include <gtest/gtest.h>

#include "nn/models/model.h"
#include "tests/server/small_model.h"

namespace anybit {
namespace {

TEST(Evaluator, TellsAWatcherHowManyPointsAreDone) {
  SmallModel model(230);
  for (const int threads : {1, 3}) {
    Evaluator evaluator(model.network, model.data, threads);
    const std::vector<Accuracy> unwatched = evaluator.evaluate(model.parameters, full_grid());
    std::vector<double> told;
    evaluator.watch([&](double done, std::size_t points) {
      EXPECT_EQ(points, unwatched.size());
      told.push_back(done);
    });
    const std::vector<Accuracy> watched = evaluator.evaluate(model.parameters, full_grid());
    for (std::size_t i = 0; i < watched.size(); ++i) EXPECT_EQ(watched[i].value, unwatched[i].value);
    ASSERT_EQ(told.size(), 1 + 2 * unwatched.size()) << "730 examples are two items";
    for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], static_cast<double>(i) / 2);
    evaluator.watch({});
    evaluator.evaluate(model.parameters, full_grid());
    EXPECT_EQ(told.size(), 1 + 2 * unwatched.size());
  }
}

TEST(Evaluator, EqualsCountingByHandAtEveryPoint) {
  const SmallModel model(230);
  Evaluator evaluator(model.network, model.data, 2);
  const std::vector<Accuracy> results = evaluator.evaluate(model.parameters, full_grid());
  ASSERT_EQ(results.size(), 18U);
  bool differs = false;
  for (const Accuracy& result : results) {
    EXPECT_EQ(result.value, model.by_hand(result.point))
        << result.point.weights << "/" << result.point.activations << " " << result.point.range << " "
        << result.point.granularity;
    differs = differs || result.value != results[0].value;
  }
  EXPECT_TRUE(differs) << "a grid that changes nothing tests nothing";
}

TEST(Evaluator, GivesTheSameAtAnyNumberOfThreadsAndAgain) {
  const SmallModel model(230);
  Evaluator one(model.network, model.data, 1);
  Evaluator three(model.network, model.data, 3);
  const std::vector<Accuracy> expected = one.evaluate(model.parameters, full_grid());
  for (int again = 0; again < 2; ++again) {
    const std::vector<Accuracy> results = three.evaluate(model.parameters, full_grid());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(results[i].value, expected[i].value) << i;
  }
}

TEST(Evaluator, StopsWhereverItIsAskedToAndIsGoodForMore) {
  SmallModel model(230);
  Evaluator evaluator(model.network, model.data, 1);
  EvaluationGrid grid;
  grid.weights = {32, 4};
  grid.activations = {8};
  // Three batches of the proxy, two models, two halves of the test examples at each of two points.
  constexpr int kQuestions = 3 + 2 + 4;
  int asked = 0;
  EXPECT_EQ(evaluator.evaluate(model.parameters, grid, [&] { return ++asked > kQuestions; }).value().size(), 2U);
  EXPECT_EQ(asked, kQuestions);
  for (int last = 1; last <= kQuestions; ++last) {
    asked = 0;
    EXPECT_EQ(evaluator.evaluate(model.parameters, grid, [&] { return ++asked == last; }), std::nullopt) << last;
    EXPECT_EQ(asked, last) << "nothing more was begun";
  }
  EXPECT_EQ(evaluator.evaluate(model.parameters, grid).size(), 2U);
}

TEST(Evaluator, RefusesActivationWidthsWithoutRanges) {
  const SmallModel model(0);
  Evaluator evaluator(model.network, model.data, 1);
  EvaluationGrid grid = full_grid();
  grid.where = {"s.toml", 12};
  try {
    evaluator.evaluate(model.parameters, grid);
    FAIL();
  } catch (const ScenarioError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("s.toml:12: activation widths below 32 need ranges"));
  }
  EXPECT_THROW(Evaluator::check(grid, false, 0), ScenarioError);
  EXPECT_NO_THROW(Evaluator::check(grid, true, 0));
  EXPECT_NO_THROW(Evaluator::check(grid, false, 100));
  grid.activations = {32};
  EXPECT_NO_THROW(Evaluator::check(grid, false, 0));
  EXPECT_EQ(evaluator.evaluate(model.parameters, grid).size(), 9U);
}

TEST(Evaluator, QuantizesAsTheMethodDid) {
  const SmallModel model(0);
  Method method;
  method.weight_fit = {true, 50.0};
  EvaluationGrid grid;
  grid.weights = {2};
  grid.range = {"percentile"};
  Evaluator usual(model.network, model.data, 1);
  Evaluator fitted(model.network, model.data, 1, method);
  const Accuracy result = fitted.evaluate(model.parameters, grid).at(0);
  EXPECT_EQ(result.point.fit.percentile, 50.0);
  EXPECT_EQ(result.value, model.by_hand(result.point));
  EXPECT_NE(result.value, usual.evaluate(model.parameters, grid).at(0).value);
}

TEST(Evaluator, RefusesLearnedStepsThatTheModelLacks) {
  const SmallModel model(0);
  EvaluationGrid grid;
  grid.where = {"s.toml", 12};
  grid.weights = {32, 4};
  grid.activations = {32, 8};
  grid.range = {"minmax", "learned"};
  try {
    Evaluator::check_trained(grid, model.plan());
    FAIL();
  } catch (const ScenarioErrors& error) {
    ASSERT_EQ(error.lines().size(), 1U) << "of the same reason at both widths of activations";
    EXPECT_TRUE(error.lines()[0].starts_with(
        "s.toml:12: range rule 'learned': the model holds no learned step of conv.weight at 4 bits"));
  }
  grid.weights = {32};
  EXPECT_NO_THROW(Evaluator::check_trained(grid, model.plan()));
}

int batch_of(const std::string& model, Shape image) {
  Part part;
  part.name = model;
  return evaluation_batch(Network(models().make(part, image, 10)));
}

TEST(EvaluationBatch, KeepsLayersInTheCacheAndReadsWeightsSeldom) {
  EXPECT_EQ(batch_of("mlp", {28, 28, 1}), 100);  // small activations
  // conv1: 784 and 24 * 24 * 32 numbers an example; 582,026 parameters, more than 1 MiB
  EXPECT_EQ(batch_of("lenet", {28, 28, 1}), 582026 / (784 + 24 * 24 * 32));
  // 2 * 32 * 32 * 16 numbers: a mebibyte holds eight examples of them, and the parameters are hardly more
  EXPECT_EQ(batch_of("resnet20", {32, 32, 3}), 8);
}

}  // namespace
}  // namespace anybit
