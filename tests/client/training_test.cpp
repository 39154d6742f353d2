#include "client/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/client/small_client.h"
#include "tests/quant/counter_and_residual.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {
namespace {

/// A small multilayer perceptron on 4x4 images with three classes.
Scenario small_scenario(Part method = part("fedavg")) {
  Scenario scenario;
  scenario.seed = 5;
  scenario.model = part("mlp", {{"hidden", std::vector<std::int64_t>{20, 6}}});
  scenario.training.method = std::move(method);
  scenario.training.objective = part("plain");
  scenario.training.optimizer = part("sgd", {{"rate", 0.1}});
  scenario.training.epochs = 2;
  scenario.training.batch = 4;
  scenario.federation.rounds = 3;
  scenario.federation.uplink = part("float32");
  scenario.federation.downlink = part("float32");
  return scenario;
}

constexpr Shape kImage{4, 4, 1};
constexpr int kClasses = 3;

Parameters initial(const TrainingPlan& plan) {
  return make_parameters(*plan.network, plan.method, plan.layout, plan.seed);
}

TaskMessage make_task(const TrainingPlan& plan, const Parameters& parameters, std::uint32_t client = 3) {
  TaskMessage task;
  task.id = {1, 1, client};
  task.planned_rounds = plan.rounds;
  task.version = 1;
  task.layout = plan.layout->digest();
  Bytes code;
  plan.downlink->encode(*plan.layout, plan.broadcast, parameters.values, {}, code);
  task.parameters = keep(code);
  return task;
}

UpdateMessage train(Trainer& trainer, const TaskMessage& task, const ExamplePool& examples) {
  UpdateMessage update;
  EXPECT_EQ(trainer.train(task, examples.view(), {}, {}, update), "");
  update.delta = keep(bytes_of(update.delta));
  return update;
}

TEST(Training, TakesTheStepsThatAPlainLoopTakes) {
  const TrainingPlan plan = make_plan(small_scenario(), kImage, kClasses);
  const ExamplePool examples = make_examples(kImage, kClasses, 10);  // batches of 4, 4 and 2, twice
  const Parameters start = initial(plan);
  Trainer trainer(plan);
  const UpdateMessage update = train(trainer, make_task(plan, start), examples);

  Parameters local = start;
  Workspace workspace(plan.network, plan.batch, Mode::kTraining);
  FloatBuffer gradients(plan.layout->size());
  double loss = 0;
  for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<std::uint32_t> order(10);
    std::iota(order.begin(), order.end(), 0U);
    Stream({plan.seed, Purpose::kShuffle, 1, 3, epoch, 0}).shuffle(std::span<std::uint32_t>(order));
    for (std::size_t at = 0; at < 10; at += 4) {
      const std::span<const std::uint32_t> picks =
          std::span<const std::uint32_t>(order).subspan(at, std::min<std::size_t>(4, 10 - at));
      const Batch batch = gather(examples.view(), picks, {}, workspace.images(), workspace.labels());
      loss += gradient(workspace, local.values, batch, {}, CrossEntropy(), gradients).loss * batch.live();
      for (std::size_t i = 0; i < gradients.size(); ++i)
        local.values[i] = std::fma(-0.1F, gradients[i], local.values[i]);  // kernels round once
    }
  }
  EXPECT_EQ(update.examples, 10U);
  EXPECT_EQ(update.steps, 6U);
  EXPECT_DOUBLE_EQ(update.loss, loss / 20);
  EXPECT_EQ(update.tensors.size(), plan.layout->tensors().size());
  EXPECT_TRUE(update.shares.empty());
  FloatBuffer delta(plan.layout->size());
  std::vector<int> sent(update.tensors.begin(), update.tensors.end());
  ASSERT_EQ(plan.uplink->decode(*plan.layout, sent, update.delta, delta), "");
  for (std::size_t i = 0; i < delta.size(); ++i) EXPECT_EQ(delta[i], local.values[i] - start.values[i]) << i;
}

TEST(Training, AClientLeavesNoTraceInTheWorker) {
  const TrainingPlan plan = make_plan(small_scenario(part("mqat")), kImage, kClasses);
  const ExamplePool examples = make_examples(kImage, kClasses, 7);
  const TaskMessage task = make_task(plan, initial(plan));
  Trainer fresh(plan);
  const UpdateMessage expected = train(fresh, task, examples);

  Parameters diverged = initial(plan);
  std::fill(diverged.values.begin(), diverged.values.end(), 1e38F);  // the first product overflows
  Trainer used(plan);
  train(used, make_task(plan, diverged, 8), make_examples(kImage, kClasses, 9, 1));
  const UpdateMessage again = train(used, task, examples);
  EXPECT_TRUE(std::ranges::equal(again.delta, expected.delta));
  EXPECT_EQ(again.loss, expected.loss);
}

TEST(Training, TheDeltaIsAgainstWhatTheClientDecoded) {
  Scenario scenario = small_scenario();
  scenario.federation.downlink = part("uniform", {{"bits", std::int64_t{2}}});
  scenario.training.optimizer = part("sgd", {{"rate", 1e-30}});
  const TrainingPlan plan = make_plan(scenario, kImage, kClasses);
  Trainer trainer(plan);
  const UpdateMessage update = train(trainer, make_task(plan, initial(plan)), make_examples(kImage, kClasses, 4));
  FloatBuffer delta(plan.layout->size());
  std::vector<int> sent(update.tensors.begin(), update.tensors.end());
  ASSERT_EQ(plan.uplink->decode(*plan.layout, sent, update.delta, delta), "");
  for (const float change : delta) EXPECT_LT(std::abs(change), 1e-20F);  // nothing was learnt at that rate
}

// Rounds that were abandoned are none of its progress.
TEST(Training, ItsProgressIsTheVersionOverThePlannedRounds) {
  const auto trained_at = [](std::uint32_t version, const std::string& schedule) {
    Scenario scenario = small_scenario();
    scenario.training.optimizer = part("sgd", {{"rate", 0.1}, {"schedule", schedule}});
    const TrainingPlan plan = make_plan(scenario, kImage, kClasses);
    Trainer trainer(plan);
    TaskMessage task = make_task(plan, initial(plan));
    task.version = version;
    return bytes_of(train(trainer, task, make_examples(kImage, kClasses, 4)).delta);
  };
  EXPECT_NE(trained_at(0, "cosine"), trained_at(2, "cosine"));
  EXPECT_EQ(trained_at(0, "constant"), trained_at(2, "constant"));
}

FloatBuffer delta_of(const TrainingPlan& plan, const UpdateMessage& update) {
  FloatBuffer delta(plan.layout->size());
  const std::vector<int> sent(update.tensors.begin(), update.tensors.end());
  EXPECT_EQ(plan.uplink->decode(*plan.layout, sent, update.delta, delta), "");
  return delta;
}

TEST(Training, WhatAClientKeepsGoesThroughItsUpdate) {
  TrainingPlan plan = make_plan(small_scenario(), kImage, kClasses);
  const ExamplePool examples = make_examples(kImage, kClasses, 10);
  const TaskMessage task = make_task(plan, initial(plan));
  Trainer plain(plan);
  const FloatBuffer trained = delta_of(plan, train(plain, task, examples));

  plan.method.client_state = std::make_shared<const CounterAndResidual>();
  const std::size_t size = client_floats(plan.method, *plan.layout);
  ASSERT_EQ(size, 1 + trained.size());
  FloatBuffer kept(size, 0.001F);
  kept[0] = 4;
  Trainer trainer(plan);
  UpdateMessage update;
  ASSERT_EQ(trainer.train(task, examples.view(), {}, {}, update, 1, kept), "");
  EXPECT_EQ(kept[0], 5);
  const FloatBuffer sent = delta_of(plan, update);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i] * 256, std::nearbyint(sent[i] * 256)) << i;
    EXPECT_EQ(sent[i] + kept[1 + i], trained[i] + 0.001F + 5 * 0x1p-14F) << i;
    moved += sent[i] != std::nearbyint(trained[i] * 256) / 256 ? 1 : 0;
  }
  EXPECT_GT(moved, 0U) << "what was kept must matter";
}

TEST(Training, WhatAClientKeepsIsUntouchedByATaskThatIsRefused) {
  TrainingPlan plan = make_plan(small_scenario(), kImage, kClasses);
  plan.method.client_state = std::make_shared<const CounterAndResidual>();
  TaskMessage task = make_task(plan, initial(plan));
  task.chunks = 7;
  FloatBuffer kept(client_floats(plan.method, *plan.layout), 2.0F);
  const FloatBuffer before = kept;
  Trainer trainer(plan);
  UpdateMessage update;
  EXPECT_NE(trainer.train(task, make_examples(kImage, kClasses, 4).view(), {}, {}, update, 1, kept), "");
  EXPECT_EQ(kept, before);
}

TEST(Training, ALearnedStepIsNamedWithTheStepsThatUsedIt) {
  const Part method = part("mqat", {{"widths", std::vector<std::int64_t>{8, 4}}, {"range", std::string("learned")}});
  const TrainingPlan plan = make_plan(small_scenario(method), kImage, kClasses);
  Trainer trainer(plan);
  const UpdateMessage update = train(trainer, make_task(plan, initial(plan)), make_examples(kImage, kClasses, 40));
  ASSERT_EQ(update.steps, 20U);
  std::vector<std::uint32_t> steps_of_layer(plan.network->weighted_layers().size(), 0);
  for (const TensorShare& share : update.shares) {
    EXPECT_EQ(plan.layout->tensors()[share.tensor].role, Role::kQuantizer);
    EXPECT_GT(share.steps, 0U);
    EXPECT_LT(share.steps, 20U) << "twenty draws of two widths used only one";
  }
  // Every step draws one width for all layers, so the two shares of a layer add up to the steps.
  std::uint32_t total = 0;
  for (const TensorShare& share : update.shares) total += share.steps;
  EXPECT_EQ(total, 20U * plan.network->weighted_layers().size());
}

TEST(Training, IsStoppedAtTheNextStepAndLeavesNoTrace) {
  const TrainingPlan plan = make_plan(small_scenario(), kImage, kClasses);
  const ExamplePool examples = make_examples(kImage, kClasses, 10);
  const TaskMessage task = make_task(plan, initial(plan));
  Trainer undisturbed(plan);
  const UpdateMessage expected = train(undisturbed, task, examples);
  Trainer trainer(plan);
  std::atomic<bool> asked = true;
  trainer.stop_when(asked);
  UpdateMessage update;
  EXPECT_EQ(trainer.train(task, examples.view(), {}, {}, update), "stopped");
  asked = false;
  EXPECT_EQ(bytes_of(train(trainer, task, examples).delta), bytes_of(expected.delta));
}

TEST(Training, RefusesWhatItCannotTrain) {
  const TrainingPlan plan = make_plan(small_scenario(), kImage, kClasses);
  Trainer trainer(plan);
  UpdateMessage update;
  TaskMessage task = make_task(plan, initial(plan));
  EXPECT_EQ(trainer.train(task, ExamplePool{kImage, {}, {}, {}}.view(), {}, {}, update), "this client has no examples");
  task.layout += 1;
  EXPECT_EQ(trainer.train(task, make_examples(kImage, kClasses, 4).view(), {}, {}, update),
            "the task's network is not the one of this scenario");
  task = make_task(plan, initial(plan));
  task.parameters = task.parameters.first(task.parameters.size() - 1);
  EXPECT_TRUE(
      trainer.train(task, make_examples(kImage, kClasses, 4).view(), {}, {}, update).starts_with("parameters: "));
}

TEST(Training, ANetworkThatDoesNotFitTheImageIsAScenarioError) {
  Scenario scenario = small_scenario();
  scenario.model = part("lenet");
  EXPECT_THROW(make_plan(scenario, kImage, kClasses), ScenarioError);
}

// The method says no at its own place: before the run, and for every class of devices.
TEST(Training, AMethodThatDoesNotFitIsAScenarioError) {
  const auto mistake = [](const Scenario& scenario) -> std::string {
    try {
      make_plan(scenario, kImage, kClasses);
    } catch (const ScenarioErrors& error) {
      return error.what();
    }
    return "accepted";
  };
  Scenario shallow = small_scenario(part("kure", {{"layers", std::string("inner")}}));
  EXPECT_EQ(mistake(shallow), "accepted");
  shallow.model = part("mlp", {{"hidden", std::vector<std::int64_t>{20}}});
  EXPECT_TRUE(mistake(shallow).starts_with("test:1: method 'kure': layers = \"inner\" leaves nothing of a network"));
  Scenario fleet = small_scenario(part("mqat", {{"widths", std::vector<std::int64_t>{8, 4}},
                                                {"range", std::string("learned")},
                                                {"sampling", std::string("device")}}));
  fleet.fleet = {{.name = "phone", .share = 0.5, .widths = {8, 4}, .where = {}},
                 {.name = "gateway", .share = 0.5, .widths = {32, 8}, .where = {}}};
  EXPECT_EQ(mistake(fleet), "accepted");
  fleet.fleet[1].widths = {6};
  EXPECT_TRUE(mistake(fleet).starts_with("test:1: method 'mqat': sampling = \"device\" trains at the fleet's width 6"));
}

}  // namespace
}  // namespace anybit
