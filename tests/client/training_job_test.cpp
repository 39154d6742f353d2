#include "client/training_job.h"

#include <gtest/gtest.h>

#include "tests/client/played_server.h"

namespace anybit {
namespace {

/// A job of the played scenario's client 1, and its task.
struct Job {
  Scenario scenario = parse_scenario_within(kPlayedScenario, "test");
  LocalData data{scenario, 1, {}};
  TrainingPlan plan = make_plan(scenario, data.shape(), data.classes());
  TrainingJob job{plan, data, {}, 1};
  Bytes parameters;
  TaskMessage task;

  Job() {
    const Parameters first = make_parameters(*plan.network, plan.method, plan.layout, 1);
    plan.downlink->encode(*plan.layout, plan.broadcast, first.values, {}, parameters);
    task.id = {7, 3, 1};
    task.layout = plan.layout->digest();
    task.parameters = parameters;
  }
};

TEST(TrainingJob, TrainsACopyOfTheTaskInAThread) {
  Job made;
  EXPECT_FALSE(made.job.at_work());
  for (int time = 0; time < 2; ++time) {
    made.job.start(made.task);
    std::ranges::fill(made.parameters, std::uint8_t{0xff});  // the caller's buffer is its own again
    EXPECT_TRUE(made.job.at_work());
    EXPECT_EQ(made.job.task().id, made.task.id);
    UpdateMessage update;
    EXPECT_EQ(made.job.finish(update), "");
    EXPECT_EQ(update.id, made.task.id);
    EXPECT_FALSE(made.job.at_work());
    made.parameters.clear();
    made.plan.downlink->encode(*made.plan.layout, made.plan.broadcast, std::vector<float>(made.plan.layout->size(), 1),
                               {}, made.parameters);
    made.task.parameters = made.parameters;
  }
}

TEST(TrainingJob, ARefusedTaskHasAReasonAndTheNextOneHasNone) {
  Job made;
  ++made.task.layout;
  made.job.start(made.task);
  UpdateMessage update;
  EXPECT_EQ(made.job.finish(update), "the task's network is not the one of this scenario");
  --made.task.layout;
  made.job.start(made.task);
  EXPECT_EQ(made.job.finish(update), "");
}

TEST(TrainingJob, ACancelledTaskLeavesNothing) {
  Job made;
  made.job.cancel();  // of nothing
  made.plan.epochs = 1000000;
  made.job.start(made.task);
  made.job.cancel();
  EXPECT_FALSE(made.job.at_work());
  EXPECT_FALSE(made.job.is_done());
  made.plan.epochs = 1;
  made.job.start(made.task);
  UpdateMessage update;
  EXPECT_EQ(made.job.finish(update), "");
}

}  // namespace
}  // namespace anybit
