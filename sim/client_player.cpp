#include "sim/client_player.h"

#include <chrono>
#include <stdexcept>

namespace anybit {

ClientPlayer::ClientPlayer(const Federation& federation) : federation_(federation), trainer_(federation.training) {
  auto parameters = std::make_shared<Bytes>();
  const TrainingPlan& plan = federation.training;
  plan.downlink->encode(*plan.layout, plan.broadcast, federation.first_state().global.values,
                        {.seed = plan.seed, .purpose = Purpose::kCodec}, *parameters);
  shared_ = make_cohort_task(
      plan, {.client = 0, .task = {federation.run, 0, 0}, .parameters = parameters, .digest = crc32c(*parameters)});
  task_ = shared_->message;
}

double ClientPlayer::play(std::uint32_t client) {
  using Clock = std::chrono::steady_clock;
  task_.id.client = client;
  const FederatedData& data = *federation_.data;
  const ExamplesView examples = data.client(client, scratch_);
  kept_.assign(client_floats(federation_.training.method, *federation_.training.layout), 0.0F);
  const Clock::time_point begin = Clock::now();
  const std::string refusal =
      trainer_.train(task_, examples, data.normalization, federation_.fleet.widths(client), update_, 1, kept_);
  const std::chrono::duration<double> took = Clock::now() - begin;
  if (!refusal.empty()) throw std::logic_error("a client refuses its own run's task: " + refusal);
  return took.count();
}

}  // namespace anybit
