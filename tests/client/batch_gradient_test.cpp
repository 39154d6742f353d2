#include "client/batch_gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/client/small_client.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {
namespace {

constexpr Shape kImage{12, 12, 1};
constexpr int kClasses = 5;
constexpr std::uint32_t kBatch = 11;

/// Convolutions, GroupNorm and shortcuts on small images.
TrainingPlan make_plan_of(const Part& method, const std::string& model = "resnet8") {
  Scenario scenario;
  scenario.seed = 5;
  scenario.model = part(model);
  scenario.training.method = method;
  scenario.training.objective = part("plain");
  scenario.training.optimizer = part("sgd", {{"rate", 0.05}, {"decay", 0.01}});
  scenario.training.batch = kBatch;
  scenario.federation.rounds = 3;
  scenario.federation.uplink = part("float32");
  scenario.federation.downlink = part("float32");
  return make_plan(scenario, kImage, kClasses);
}

struct Gradient {
  Score score;
  FloatBuffer values;
};

/// One batch of `live` examples at 4 bits, cut into chunks.
struct CutBatch {
  FloatBuffer parameters;
  ExamplePool examples = make_examples(kImage, kClasses, kBatch);
  std::vector<std::uint32_t> picks;
  std::vector<std::uint8_t> widths;
  Moment moment;
  BatchGradient gradient;

  CutBatch(const TrainingPlan& plan, std::uint32_t live, std::uint32_t chunks, int threads)
      : parameters(make_parameters(*plan.network, plan.method, plan.layout, plan.seed).values),
        picks(live),
        widths(plan.network->slots().size(), kFloatWidth),
        gradient(plan, chunks) {
    std::iota(picks.rbegin(), picks.rend(), 0U);
    moment.draw = {plan.seed, Purpose::kWidths, 1, 3, 2, 0};
    if (plan.method.quantizers)
      for (const SlotSite& site : plan.network->slots())
        if (site.kind == SlotKind::kWeight) widths[static_cast<std::size_t>(site.slot)] = 4;
    gradient.begin_client(parameters, threads);
    gradient.gather(examples.view(), picks, {});
  }
};

Gradient gradient_of(const TrainingPlan& plan, std::uint32_t live, std::uint32_t chunks, int threads = 1) {
  CutBatch batch(plan, live, chunks, threads);
  Gradient made{{}, FloatBuffer(plan.layout->size(), 77.0F)};
  made.score = batch.gradient.at(batch.widths, batch.moment, batch.parameters, made.values, true);
  return made;
}

struct Case {
  std::string name;
  Part method;
  std::string model = "resnet8";
  friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

class Cut : public testing::TestWithParam<Case> {};

// Also where weights are noisy or rounded by chance, and numbers dropped: every chunk draws as the whole batch does.
TEST_P(Cut, IsTheWholeBatchsGradientButForRounding) {
  const TrainingPlan plan = make_plan_of(GetParam().method, GetParam().model);
  for (const std::uint32_t live : {kBatch, 4U, 2U, 1U}) {
    const Gradient whole = gradient_of(plan, live, 1);
    float largest = 0;
    for (const float value : whole.values) largest = std::max(largest, std::abs(value));
    ASSERT_GT(largest, 0.0F);
    for (const std::uint32_t chunks : {2U, 3U, 8U}) {
      const Gradient cut = gradient_of(plan, live, chunks);
      EXPECT_NEAR(cut.score.loss, whole.score.loss, 1e-6);
      EXPECT_EQ(cut.score.correct, whole.score.correct);
      for (std::size_t i = 0; i < whole.values.size(); ++i)
        ASSERT_NEAR(cut.values[i], whole.values[i], 2e-5F * largest) << i << " of " << chunks << " chunks, " << live;
    }
  }
}

TEST_P(Cut, HasTheSameBitsForAnyNumberOfThreads) {
  const TrainingPlan plan = make_plan_of(GetParam().method, GetParam().model);
  for (const std::uint32_t chunks : {2U, 3U, 8U}) {
    const Gradient one = gradient_of(plan, kBatch, chunks, 1);
    for (const int threads : {2, 3, 5}) {
      const Gradient many = gradient_of(plan, kBatch, chunks, threads);
      EXPECT_EQ(many.score.loss, one.score.loss);
      EXPECT_EQ(std::memcmp(many.values.data(), one.values.data(), one.values.size() * sizeof(float)), 0)
          << chunks << " chunks, " << threads << " threads";
    }
  }
}

TEST_P(Cut, DescendsToTheBitsOfGradientAndStep) {
  const TrainingPlan plan = make_plan_of(GetParam().method, GetParam().model);
  for (const std::uint32_t live : {kBatch, 2U, 1U}) {
    for (const std::uint32_t chunks : {1U, 2U, 3U, 8U}) {
      FloatBuffer stepped = make_parameters(*plan.network, plan.method, plan.layout, plan.seed).values;
      Gradient gradient = gradient_of(plan, live, chunks);
      plan.optimizer->step(*plan.layout, stepped, gradient.values, {}, 0.0, 0);
      for (const int threads : {1, 2, 3}) {
        CutBatch batch(plan, live, chunks, threads);
        FloatBuffer scratch(plan.layout->size(), 77.0F);
        const PlainStep step = plan.optimizer->plain_step(0.0).value();
        const Score score = batch.gradient.descend(batch.widths, batch.moment, batch.parameters, step, scratch);
        EXPECT_EQ(score.loss, gradient.score.loss);
        EXPECT_EQ(score.correct, gradient.score.correct);
        ASSERT_EQ(std::memcmp(batch.parameters.data(), stepped.data(), stepped.size() * sizeof(float)), 0)
            << live << " examples, " << chunks << " chunks, " << threads << " threads";
      }
    }
  }
}

std::vector<Case> cases() {
  const std::vector<std::int64_t> widths{4};
  const auto mqat = [&](const std::string& option, const std::string& value) {
    return part("mqat", {{"widths", widths}, {option, value}});
  };
  return {{"fedavg", part("fedavg")},
          {"apqn", part("apqn", {{"widths", widths}})},
          {"mqat", mqat("rounding", "half_even")},
          {"mse", mqat("range", "mse")},
          {"learned", mqat("range", "learned")},
          {"stochastic", mqat("rounding", "stochastic")},
          {"dropout", part("fedavg"), "cnn"}};
}

INSTANTIATE_TEST_SUITE_P(Methods, Cut, testing::ValuesIn(cases()),
                         [](const auto& parameter) { return parameter.param.name; });

/// A whole task, played with so many threads.
UpdateMessage played(const TrainingPlan& plan, std::uint32_t chunks, int threads) {
  TaskMessage task;
  task.id = {1, 1, 3};
  task.planned_rounds = plan.rounds;
  task.chunks = chunks;
  task.layout = plan.layout->digest();
  const Parameters start = make_parameters(*plan.network, plan.method, plan.layout, plan.seed);
  Bytes parameters;
  plan.downlink->encode(*plan.layout, plan.broadcast, start.values, {}, parameters);
  task.parameters = parameters;
  const ExamplePool examples = make_examples(kImage, kClasses, 3 * kBatch + 4);
  Trainer trainer(plan);
  UpdateMessage update;
  EXPECT_EQ(trainer.train(task, examples.view(), {}, {}, update, threads), "");
  update.delta = keep(bytes_of(update.delta));  // it outlives the trainer
  task.chunks = 1;                              // what a cut client leaves behind reaches no other
  UpdateMessage uncut;
  EXPECT_EQ(trainer.train(task, examples.view(), {}, {}, uncut, threads), "");
  task.chunks = chunks;
  UpdateMessage again;
  EXPECT_EQ(trainer.train(task, examples.view(), {}, {}, again, threads), "");
  EXPECT_TRUE(std::ranges::equal(again.delta, update.delta));
  return update;
}

TEST(CutClient, SendsTheSameUpdateForAnyNumberOfThreads) {
  for (const Part& method : {part("fedavg"), part("joint", {{"widths", std::vector<std::int64_t>{8, 4}}})}) {
    const TrainingPlan plan = make_plan_of(method);
    const UpdateMessage whole = played(plan, 1, 2);
    for (const std::uint32_t chunks : {2U, 5U}) {
      const UpdateMessage one = played(plan, chunks, 1);
      EXPECT_FALSE(std::ranges::equal(one.delta, whole.delta)) << "nothing was cut";
      EXPECT_NEAR(one.loss, whole.loss, 1e-3);
      EXPECT_EQ(one.steps, whole.steps);
      for (const int threads : {2, 3}) {
        const UpdateMessage many = played(plan, chunks, threads);
        EXPECT_TRUE(std::ranges::equal(many.delta, one.delta));
        EXPECT_EQ(many.loss, one.loss);
      }
    }
  }
}

/// Asks for the gradient and leaves it as it is.
struct NoPenalty final : Penalty {
  double add(const Network&, std::span<const float>, std::span<float>) const override { return 0; }
};

TEST(CutClient, StepsAsOneWhoseGradientIsWanted) {
  TrainingPlan plan = make_plan_of(part("fedavg"));
  const UpdateMessage at_once = played(plan, 4, 2);
  plan.method.penalty = std::make_shared<NoPenalty>();
  EXPECT_TRUE(std::ranges::equal(played(plan, 4, 2).delta, at_once.delta));
}

std::string refusal(const TrainingPlan& plan, std::uint32_t chunks) {
  TaskMessage task;
  task.layout = plan.layout->digest();
  task.chunks = chunks;
  Trainer trainer(plan);
  UpdateMessage update;
  return trainer.train(task, make_examples(kImage, kClasses, 4).view(), {}, {}, update);
}

TEST(CutClient, RefusesChunksThatItsNetworkOrBatchDoesNotHave) {
  TrainingPlan plan = make_plan_of(part("fedavg"), "logistic");
  EXPECT_TRUE(refusal(plan, 8).starts_with("parameters: ")) << "there are none, but eight chunks are fine";
  for (const std::uint32_t chunks : {0U, 9U, ~0U})
    EXPECT_EQ(refusal(plan, chunks),
              "the task cuts batches into " + std::to_string(chunks) + " chunks, but 1 to 8 can be");
  plan.batch = 4;
  EXPECT_EQ(refusal(plan, 5), "the task cuts batches into 5 chunks, but 1 to 4 can be");
  EXPECT_EQ(refusal(make_plan_of(part("fedavg"), "resnet20-bn"), 2),
            "the task cuts batches into 2 chunks, but this network keeps statistics of whole batches");
  const Part ranges = part("mqat", {{"activations", std::int64_t{8}}});
  EXPECT_EQ(refusal(make_plan_of(ranges, "logistic"), 2),
            "the task cuts batches into 2 chunks, but this network keeps statistics of whole batches");
}

}  // namespace
}  // namespace anybit
