#include "client/task_limits.h"

#include <gtest/gtest.h>

#include "scenarios/scenario.h"
#include "tests/client/small_client.h"
#include "wire/task_memory.h"

namespace anybit {
namespace {

TEST(TaskLimits, WithoutAnyEverythingIsAllowed) {
  EXPECT_EQ(refuse_method({}, "mqat"), "");
  EXPECT_EQ(refuse_bytes({}, 1e6), "");
  EXPECT_EQ(refuse_seconds({}, 1e9), "");
}

TEST(TaskLimits, NobodyMayTakeMoreThanTheMachineHas) {
  EXPECT_EQ(refuse_bytes({}, 1e18).find("it takes 1000000.0 TB of memory, this machine has "), 0U);
  TaskLimits limits;
  limits.memory = 1e19;
  EXPECT_NE(refuse_bytes(limits, 1e18), "");
}

TEST(TaskLimits, EachHasItsReason) {
  TaskLimits limits;
  limits.memory = 1e6;
  limits.seconds = 2;
  limits.methods = {"fedavg", "qat"};
  EXPECT_EQ(refuse_method(limits, "qat"), "");
  EXPECT_EQ(refuse_method(limits, "mqat"), "the method 'mqat' is not allowed here; allowed: fedavg, qat");
  EXPECT_EQ(refuse_bytes(limits, 1e6), "");
  EXPECT_EQ(refuse_bytes(limits, 2.5e6), "it takes 2.5 MB of memory, allowed are 1.0 MB");
  EXPECT_EQ(refuse_seconds(limits, 2), "");
  EXPECT_EQ(refuse_seconds(limits, 3), "it takes about 3.0 s, allowed are 2.0 s");
}

TrainingPlan plan_of(const std::string& method) {
  const Scenario scenario = parse_scenario(std::string(R"(name = "small"
[data]
set = "glyphs"
clients = 2
partition = { name = "iid" }
[model]
name = "mlp"
hidden = [16]
[training]
epochs = 3
batch = 4
method = )" + method + R"(
objective = { name = "plain" }
optimizer = { name = "sgd", rate = 0.1, momentum = 0.9 }
[federation]
rounds = 1
cohort = 1
strategy = { name = "fedavg" }
uplink = { name = "float32" }
downlink = { name = "float32" }
)"),
                                           "small.toml", {});
  return make_plan(scenario, {8, 8, 1}, 10);
}

TaskCost measure(const TrainingPlan& plan, std::size_t examples) {
  const ExamplePool pool = make_examples({8, 8, 1}, 10, examples);
  return measure_task(plan, pool.view(), {{0.5F}, {0.5F}}, {});
}

TEST(TaskLimits, CostsAreMeasuredAndTheLeastIsNoMore) {
  const TrainingPlan plan = plan_of(R"({ name = "fedavg" })");
  const TaskCost few = measure(plan, 10);
  EXPECT_GT(few.bytes, 16.0 * static_cast<double>(plan.layout->size())) << "four buffers of parameters";
  EXPECT_GE(few.bytes, least_task_bytes(plan));
  EXPECT_GT(few.pass_bytes, 0);
  EXPECT_LT(few.pass_bytes, few.bytes);
  EXPECT_GT(few.seconds, 0);
  // 9 steps, and 300: of the same kind, so that even a busy machine sees the difference.
  EXPECT_GT(measure(plan, 400).seconds, few.seconds);
}

// A step of this method passes the batch through the network at several widths, and quantizes.
TEST(TaskLimits, WhatTheMethodDoesInAStepIsMeasured) {
  const TaskCost plain = measure(plan_of(R"({ name = "fedavg" })"), 400);
  const TaskCost joint = measure(plan_of(R"({ name = "joint", widths = [2, 3, 4, 5, 6, 8] })"), 400);
  EXPECT_GT(joint.seconds, 2 * plain.seconds);
  EXPECT_GT(joint.bytes, plain.bytes);
}

TEST(TaskLimits, ChunksAreCountedToo) {
  const TrainingPlan plan = plan_of(R"({ name = "fedavg" })");
  const double buffer = 4.0 * static_cast<double>(plan.layout->size());
  const TaskCost cost{.bytes = 1000, .pass_bytes = 300};
  EXPECT_EQ(chunk_bytes(plan, cost, {.chunks = 1}), 0);
  EXPECT_EQ(chunk_bytes(plan, cost, {.chunks = 4}), 300 + 3 * buffer);
}

}  // namespace
}  // namespace anybit
