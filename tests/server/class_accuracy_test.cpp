#include "server/class_accuracy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "nn/parameters.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

// Pictures of two pixels, x0 and x1. The network answers 1 where x0 - 0.3 x1 > 0.05. At two bits of the weights 0.3
// becomes 0, so it answers 1 where x0 > 0.05; at two bits of the activations, too, x0 is one of 0, 1/3, 2/3 and 1.
constexpr std::uint8_t kBright = 255, kDim = 51, kFaint = 25;  // x0 = 1, 0.2, 0.098

struct Example {
  std::uint8_t x0;
  std::uint8_t x1;
  std::uint8_t label;
};

// Answered by float, two bits of weights, and of both:
constexpr Example kOne{kBright, 0, 1};        // right right right
constexpr Example kNoOne{kBright, 0, 0};      // wrong wrong wrong
constexpr Example kZero{0, 255, 0};           // right right right
constexpr Example kDimZero{kDim, 255, 0};     // right wrong wrong
constexpr Example kDimOne{kDim, 255, 1};      // wrong right right
constexpr Example kFaintOne{kFaint, 255, 1};  // wrong right wrong

ExamplePool pool_of(const std::vector<Example>& examples) {
  ExamplePool pool;
  pool.shape = {1, 2, 1};
  for (const Example& example : examples) {
    pool.pixels.insert(pool.pixels.end(), {example.x0, example.x1});
    pool.labels.push_back(example.label);
    pool.indices.push_back(static_cast<std::uint32_t>(pool.indices.size()));
  }
  return pool;
}

/// Held by hand: each client's examples, and, where there are any, those like them.
class HandData final : public FederatedData {
 public:
  HandData(const std::vector<std::vector<Example>>& held, const std::vector<std::vector<Example>>& like_them,
           const std::vector<Example>& tested) {
    for (const auto& examples : held) held_.push_back(pool_of(examples));
    for (const auto& examples : like_them) like_them_.push_back(pool_of(examples));
    test_ = pool_of(tested);
    proxy_ = pool_of({kOne, kZero});  // activations are from 0 to 1
    shape = test_.shape;
    classes = 2;
    clients = static_cast<std::uint32_t>(held.size());
    test = test_.view();
    proxy = proxy_.view();
  }

  std::uint32_t examples(std::uint32_t client) const override {
    return static_cast<std::uint32_t>(held_.at(client).labels.size());
  }
  ExamplesView client(std::uint32_t client, ExamplePool&) const override { return held_.at(client).view(); }
  ExamplesView unseen(std::uint32_t client, ExamplePool&) const override {
    return like_them_.empty() ? ExamplesView{} : like_them_.at(client).view();
  }

 private:
  std::vector<ExamplePool> held_, like_them_;
  ExamplePool test_, proxy_;
};

FleetClass device_class(const std::string& name, double share, std::vector<int> widths) {
  FleetClass made;
  made.name = name;
  made.share = share;
  made.widths = std::move(widths);
  return made;
}

struct ClassAccuracies : testing::Test {
  Federation federation;
  Parameters parameters;
  EvaluationGrid grid;

  ClassAccuracies() {
    Description description{"hand", {1, 2, 1}, 2, {}};
    description.then("dense", Dense{2});
    federation.training.network = std::make_shared<const Network>(description);
    train_with(method_part("fedavg"));
    grid.activations = {32, 8};
  }

  void train_with(const Part& method) {
    NetworkPlan& trained = federation.training;
    trained.method = methods().make(method);
    trained.layout = make_layout(*trained.network, trained.method);
    parameters = make_parameters(*trained.network, trained.method, trained.layout, 1);
    set("dense.weight", {0, 0, 1, -0.3F});
    set("dense.bias", {0.05F, 0});
  }

  void set(const std::string& name, const std::vector<float>& values) {
    std::ranges::copy(values, parameters.tensor(parameters.layout->index(name)).begin());
  }

  void hold(std::vector<FleetClass> classes, const std::vector<std::vector<Example>>& held,
            const std::vector<std::vector<Example>>& like_them, const std::vector<Example>& tested) {
    federation.fleet = Fleet(std::move(classes), 1);
    federation.data = std::make_unique<const HandData>(held, like_them, tested);
  }

  std::vector<ClassAccuracy> evaluate(int threads = 1) {
    Evaluator evaluator(federation.training.network, *federation.data, threads, federation.training.method);
    return evaluate_classes(evaluator, parameters, federation, grid).value();
  }
};

TEST_F(ClassAccuracies, AreOfTheClassesOwnExamplesAndOfOthersLikeThem) {
  hold({device_class("all", 1, {32, 2})}, {{kOne, kZero, kDimZero, kFaintOne}, {kNoOne, kDimOne}},
       {{kOne, kDimZero, kDimZero, kFaintOne}, {kZero, kZero}}, {kOne});
  const std::vector<ClassAccuracy> found = evaluate();
  ASSERT_EQ(found.size(), 3U);
  const std::vector<int> weights = {32, 2, 2}, activations = {32, 32, 2};
  const std::vector<double> own = {3.0 / 6, 4.0 / 6, 3.0 / 6};
  const std::vector<double> unseen = {5.0 / 6, 4.0 / 6, 3.0 / 6};
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, "all");
    EXPECT_EQ(found[i].share, 1);
    EXPECT_EQ(found[i].clients, 2U);
    EXPECT_EQ(found[i].weights, weights[i]);
    EXPECT_EQ(found[i].activations, activations[i]);
    EXPECT_EQ(found[i].own, own[i]) << i;
    EXPECT_EQ(found[i].unseen, unseen[i]) << i;
  }
}

// Of label 0 the test set has three, of which float answers two and two bits one; of label 1 two: one, and both. The
// clients hold four examples of label 0 and two of label 1.
TEST_F(ClassAccuracies, OfPooledDataWeighTestLabelsAsTheClientsHoldThem) {
  grid.activations = {32};
  hold({device_class("all", 1, {32, 2})}, {{kOne, kZero, kDimZero, kDimZero}, {kNoOne, kDimOne}}, {},
       {kOne, kNoOne, kDimZero, kZero, kDimOne});
  const std::vector<ClassAccuracy> found = evaluate();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].own, 4.0 / 6);
  EXPECT_DOUBLE_EQ(found[0].unseen.value(), (4 * 2.0 / 3 + 2 * 1.0 / 2) / 6);
  EXPECT_EQ(found[1].own, 3.0 / 6);
  EXPECT_DOUBLE_EQ(found[1].unseen.value(), (4 * 1.0 / 3 + 2 * 2.0 / 2) / 6);
}

TEST_F(ClassAccuracies, LeaveLabelsOutThatNobodyTests) {
  hold({device_class("all", 1, {32})}, {{kOne, kOne, kZero}}, {}, {kZero, kNoOne});
  EXPECT_EQ(evaluate().at(0).unseen, 0.5) << "label 1 has no test example";
  hold({device_class("all", 1, {32})}, {{kOne}}, {}, {kZero});
  EXPECT_EQ(evaluate().at(0).unseen, std::nullopt);
}

// Each class's clients hold what another width answers: right for float and wrong at two bits, and the other way round.
TEST_F(ClassAccuracies, KeepTheClassesApart) {
  grid.activations = {32};
  const std::vector<FleetClass> classes = {device_class("two bits", 0.5, {2, 32}), device_class("float", 0.5, {32})};
  const Fleet fleet(classes, 1);
  std::vector<std::vector<Example>> held, like_them;
  std::map<int, std::uint32_t> members;
  for (std::uint32_t client = 0; client < 20; ++client) {
    const bool is_float = fleet.class_of(client) == 1;
    ++members[is_float ? 1 : 0];
    held.push_back(is_float ? std::vector{kDimZero} : std::vector{kDimOne});
    like_them.push_back(is_float ? std::vector{kDimZero, kNoOne} : std::vector{kDimOne, kOne, kNoOne, kNoOne});
  }
  ASSERT_GT(members[0], 0U);
  ASSERT_GT(members[1], 0U);
  hold(classes, held, like_them, {kOne});
  for (const int threads : {1, 3}) {
    const std::vector<ClassAccuracy> found = evaluate(threads);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].name, "two bits");
    EXPECT_EQ(found[0].weights, 2) << "as the class has them";
    EXPECT_EQ(found[0].clients, members[0]);
    EXPECT_EQ(found[0].own, 1);
    EXPECT_EQ(found[1].weights, 32);
    EXPECT_EQ(found[1].own, 0);
    EXPECT_EQ(found[2].name, "float");
    EXPECT_EQ(found[2].clients, members[1]);
    EXPECT_EQ(found[2].own, 1);
  }
}

TEST_F(ClassAccuracies, SayNothingOfAClassWithoutClients) {
  hold({device_class("all", 1, {32}), device_class("nobody", 0, {2})}, {{kOne}}, {{kOne}}, {kOne});
  const std::vector<ClassAccuracy> found = evaluate();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].name, "nobody");
  EXPECT_EQ(found[1].clients, 0U);
  EXPECT_EQ(found[1].own, std::nullopt);
  EXPECT_EQ(found[1].unseen, std::nullopt);
}

TEST_F(ClassAccuracies, AreThereOnlyWithAFleetAndClientsToLookAt) {
  hold({}, {{kOne}}, {}, {kOne});
  EXPECT_TRUE(evaluate().empty());
  hold({device_class("all", 1, {32})}, {{kOne}, {kNoOne}}, {}, {kOne});
  federation.scenario.evaluate.class_clients = 0;
  EXPECT_TRUE(evaluate().empty());
  federation.scenario.evaluate.class_clients = 1;
  EXPECT_EQ(evaluate().at(0).clients, 1U);
  EXPECT_EQ(evaluate().at(0).own, 1) << "client 0";
}

TEST_F(ClassAccuracies, FitTheWeightsAsTheFirstRuleSays) {
  hold({device_class("all", 1, {2})}, {{kDimZero, kDimOne, kDimOne}}, {}, {kOne});
  grid.activations = {32};
  grid.range = {"learned"};
  EXPECT_EQ(evaluate().at(0).own, 2.0 / 3) << "min-max, for the model has no learned step";
  // Three of four magnitudes, 0, 0, 0.3 and 1, are kept: the one that is cut to 0.3 weighs no more than -0.3.
  grid.range = {"percentile", "minmax"};
  Method method;
  method.weight_fit = {false, 75};
  Evaluator evaluator(federation.training.network, *federation.data, 1, method);
  EXPECT_EQ(evaluate_classes(evaluator, parameters, federation, grid).value().at(0).own, 1.0 / 3);
}

// The learned step of two bits is 0.3, so 1 is cut to 0.3 and weighs no more than -0.3.
TEST_F(ClassAccuracies, AreByTheQuantizersOfTheMethodWhereItHasThem) {
  hold({device_class("all", 1, {2})}, {{kDimZero, kDimOne, kDimOne}}, {}, {kOne});
  grid.range = {"trained"};
  grid.granularity = {"channel"};
  const auto train = [&](std::int64_t width, std::int64_t activations) {
    train_with(method_part("lsq", {{"width", width}, {"activations", activations}}));
    set("dense.weight.step" + std::to_string(width), {std::log2(0.3F)});
  };
  const auto points = [&] {
    std::vector<std::string> names;
    for (const GridPoint& point : class_points(federation, grid))
      names.push_back(std::to_string(point.weights) + "/" + std::to_string(point.activations) + " " + point.range +
                      " " + point.granularity);
    return names;
  };
  train(2, 8);
  EXPECT_EQ(points(), (std::vector<std::string>{"2/32 trained trained", "2/2 trained trained"}))
      << "the image has a moving range, for any width";
  EXPECT_EQ(evaluate().at(0).own, 1.0 / 3);
  train(2, 32);
  EXPECT_EQ(points(), (std::vector<std::string>{"2/32 trained trained", "2/2 minmax channel"}));
  train(4, 32);
  EXPECT_EQ(points(), (std::vector<std::string>{"2/32 minmax channel", "2/2 minmax channel"}));
  grid.granularity = {"tensor"};
  EXPECT_EQ(evaluate().at(0).own, 2.0 / 3);
  train_with(method_part("fedavg"));
  EXPECT_EQ(evaluate().at(0).own, 2.0 / 3) << "it has no quantizers";
}

TEST_F(ClassAccuracies, StopWhereTheyAreAskedTo) {
  hold({device_class("all", 1, {32, 2})}, {{kOne}}, {}, {kOne});
  Evaluator evaluator(federation.training.network, *federation.data, 1);
  EXPECT_EQ(evaluate_classes(evaluator, parameters, federation, grid, [] { return true; }), std::nullopt);
}

TEST(ClientsByClass, AreTheFirstOfEach) {
  const std::vector<FleetClass> classes = {device_class("a", 0.7, {8}), device_class("b", 0.3, {32})};
  const Fleet fleet(classes, 1);
  const auto found = clients_by_class(fleet, 1'000'000, 50);
  ASSERT_EQ(found.size(), 2U);
  std::vector<std::vector<std::uint32_t>> expected(2);
  for (std::uint32_t client = 0; client < 1000; ++client) {
    auto& of_class = expected[static_cast<std::size_t>(fleet.class_of(client))];
    if (of_class.size() < 50) of_class.push_back(client);
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(clients_by_class(fleet, 3, 50)[0].size() + clients_by_class(fleet, 3, 50)[1].size(), 3U);
}

TEST(ClientsByClass, AreLookedForAmongAHundredTimesAsMany) {
  const Fleet rare({device_class("a", 0.9999, {8}), device_class("b", 0.0001, {32})}, 1);
  std::uint32_t first = 0;
  while (rare.class_of(first) == 0) ++first;
  ASSERT_GT(first, 300U);
  EXPECT_TRUE(clients_by_class(rare, 1'000'000, 1)[1].empty());
  EXPECT_EQ(clients_by_class(rare, 1'000'000, first / 100 + 1)[1], std::vector<std::uint32_t>{first});
}

}  // namespace
}  // namespace anybit
