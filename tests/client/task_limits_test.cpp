#include "client/task_limits.h"

#include <gtest/gtest.h>

#include "scenarios/scenario.h"

namespace anybit {
namespace {

TEST(TaskLimits, WithoutAnyEverythingIsAllowed) {
  EXPECT_EQ(refuse_method({}, "mqat"), "");
  EXPECT_EQ(refuse_bytes({}, 1e18), "");
  EXPECT_EQ(refuse_seconds({}, 1e9), "");
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

TrainingPlan small_plan() {
  const Scenario scenario = parse_scenario(R"(name = "small"
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
method = { name = "fedavg" }
objective = { name = "plain" }
optimizer = { name = "sgd", rate = 0.1, momentum = 0.9 }
[federation]
rounds = 1
cohort = 1
strategy = { name = "fedavg" }
uplink = { name = "float32" }
downlink = { name = "float32" }
)",
                                           "small.toml", {});
  return make_plan(scenario, {8, 8, 1}, 10);
}

TEST(TaskLimits, CostsAreMeasuredAndTheLeastIsNoMore) {
  const TrainingPlan plan = small_plan();
  const TaskCost few = measure_task(plan, 10);
  EXPECT_GT(few.bytes, 16.0 * static_cast<double>(plan.layout->size())) << "four buffers of parameters";
  EXPECT_GE(few.bytes, least_task_bytes(plan));
  EXPECT_GT(few.seconds, 0);
  // 9 steps, and 300: of the same kind, so that even a busy machine sees the difference.
  EXPECT_GT(measure_task(plan, 400).seconds, few.seconds);
}

}  // namespace
}  // namespace anybit
