#include "wire/task_memory.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

/// 64 x 16 + 16 + 16 x 10 + 10 = 1210 parameters.
TrainingPlan plan_of(const std::string& optimizer, const std::string& downlink = "float32") {
  const Scenario scenario = parse_scenario(R"(
[data]
set = "glyphs"
clients = 2
[model]
name = "mlp"
hidden = [16]
[training]
batch = 4
optimizer = )" + optimizer + R"(
[federation]
rounds = 1
cohort = 1
downlink = ")" + downlink + "\"\n",
                                           "small.toml", {});
  return make_plan(scenario, {8, 8, 1}, 10);
}

const char* const kPlain = R"({ name = "sgd" })";
const char* const kMomentum = R"({ name = "sgd", momentum = 0.9 })";

TEST(TaskMemory, CountsTheOptimizersBuffers) {
  EXPECT_EQ(training_buffers(plan_of(kPlain)), 3) << "parameters, received, gradients";
  EXPECT_EQ(training_buffers(plan_of(kMomentum)), 4);
  EXPECT_EQ(training_buffers(plan_of(R"({ name = "adam" })")), 5);
  EXPECT_EQ(buffer_bytes(plan_of(kPlain)), 3 * 4 * 1210);
}

TEST(TaskMemory, CountsABatchOfActivations) {
  // 64 pixels, 16 and 16 of the hidden layer, 10 classes; four of each.
  EXPECT_EQ(least_task_bytes(plan_of(kPlain)), 3 * 4 * 1210 + (64 + 16 + 16 + 10) * 4 * 4);
}

TEST(TaskMemory, CountsMessagesAndTheirFrames) {
  EXPECT_EQ(message_bytes(plan_of(kPlain), {.parameters = 100}), 2 * (100 + 4 * 1210));
  EXPECT_EQ(downlink_bytes(plan_of(kPlain)), 4U * 1210);
  EXPECT_LT(downlink_bytes(plan_of(kPlain, "uniform")), 1400U) << "a byte each, and a grid for each tensor";
}

}  // namespace
}  // namespace anybit
