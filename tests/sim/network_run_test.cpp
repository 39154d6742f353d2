// Networks whose training pass is more than a function of parameters and images: dropout draws, BatchNorm joins a batch
// and keeps statistics.
#include <gtest/gtest.h>

#include "client/training.h"
#include "server/aggregate.h"
#include "tests/sim/whole_run.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {
namespace {

Federation federation_of(const std::string& model, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"model.name=" + model, "data.clients=4", "data.examples=10",
                             "training.optimizer.rate=0.02", "federation.rounds=3"});
  return tiny_federation(more);
}

class NetworkRun : public testing::TestWithParam<std::string> {};

TEST_P(NetworkRun, EndsInTheSameBitsByThreadsTransportAndResume) {
  const Federation federation = federation_of(GetParam());
  const FederationState whole = run_all(federation, 1);
  EXPECT_EQ(whole.version, 3U);
  EXPECT_TRUE(run_all(federation, 2).global.values == whole.global.values);
  EXPECT_TRUE(run_all(federation_of(GetParam(), {"federation.transport=tcp"}), 2).global.values == whole.global.values);

  FederationRun first(federation, federation.first_state(), 2);
  ASSERT_TRUE(first.next_round());
  FederationRun rest(federation, first.state(), 1);
  while (rest.next_round()) {}
  EXPECT_TRUE(rest.state().global.values == whole.global.values);
}

INSTANTIATE_TEST_SUITE_P(Networks, NetworkRun, testing::Values("cnn", "resnet20-bn"),
                         [](const auto& network) { return network.param == "cnn" ? "cnn" : "resnet20bn"; });

/// What one client of the federation answers in round 0.
UpdateMessage answer(const Federation& federation, std::uint32_t client) {
  const TrainingPlan& plan = federation.training;
  TaskMessage task{.id = {federation.run, 0, client}, .planned_rounds = 1, .layout = plan.layout->digest()};
  Bytes parameters;
  plan.downlink->encode(*plan.layout, plan.broadcast, federation.first_state().global.values, {}, parameters);
  task.parameters = parameters;
  ExamplePool scratch;
  UpdateMessage update;
  Trainer trainer(plan);
  EXPECT_EQ(trainer.train(task, federation.data->client(client, scratch), federation.data->normalization, {}, update),
            "");
  update.delta = keep(bytes_of(update.delta));  // it outlives the trainer
  return update;
}

// Running statistics are averaged as learnt tensors are: two clients that say the same change the model as one does.
TEST(BatchNormRun, AveragingEqualClientsReturnsThem) {
  const Federation federation = federation_of("resnet20-bn", {"training.method.name=fedavg"});
  const TrainingPlan& plan = federation.training;
  UpdateMessage update = answer(federation, 1);
  RoundSum sum(plan.layout, plan.uploaded, plan.uplink.get(), 2);
  ASSERT_EQ(sum.add(update), "");
  const std::span<const float> once = sum.close();
  const std::vector<float> one(once.begin(), once.end());
  sum.clear();
  ASSERT_EQ(sum.add(update), "");
  update.id.client = 2;
  ASSERT_EQ(sum.add(update), "");
  const std::span<const float> two = sum.close();
  EXPECT_TRUE(std::equal(one.begin(), one.end(), two.begin(), two.end()));

  Parameters merged = federation.first_state().global;
  const std::vector<float> before(merged.values.begin(), merged.values.end());
  federation.strategy->apply(*plan.layout, two, {}, merged.values);
  for (const TensorSpec& tensor : plan.layout->tensors()) {
    double moved = 0;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      EXPECT_NEAR(merged.values[i], before[i] + one[i], 1e-6F * (1 + std::abs(before[i]))) << tensor.name;
      moved += std::abs(one[i]);
    }
    EXPECT_GT(moved, 0) << tensor.name;
  }
}

}  // namespace
}  // namespace anybit
