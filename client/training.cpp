#include "client/training.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <limits>
#include <numeric>
#include <utility>

#include "client/batch_gradient.h"
#include "nn/random.h"
#include "wire/chunks.h"

namespace anybit {

/// One worker's buffers, re-used for every client. The functions below are the steps of one client's round in order.
struct Trainer::State final : StepGradient {
  explicit State(const TrainingPlan& of);

  void start_client(const TaskMessage& task, std::size_t examples, int threads);
  BatchGradient& gradient_in(std::uint32_t chunks);
  /// False where it was stopped.
  bool epoch(const ExamplesView& examples, const Normalization& normalization, int number);
  void step();
  Score step_by_gradient();
  void name_trained(UpdateMessage& update) const;
  void encode(UpdateMessage& update, std::span<float> kept);

  /// The batch's gradient at given widths: what a step rule asks for.
  Score at(std::span<const std::uint8_t> widths, std::span<float> into, bool update_statistics) override;

  const TrainingPlan& plan;
  bool wants_gradient;  // some part of the method or the objective does, and not only the optimiser
  BatchGradient whole;
  std::unique_ptr<BatchGradient> cut;  // made for the first task that cuts batches, or cuts them otherwise
  FloatBuffer received;
  FloatBuffer local;
  FloatBuffer gradients;
  FloatBuffer optimizer_state;
  FloatBuffer rule_scratch;
  std::vector<std::uint8_t> widths;
  std::vector<std::uint32_t> steps_of_tensor;  // for tensors that only some widths train
  std::vector<std::uint32_t> order;
  std::vector<int> sent;
  Bytes delta;  // of the update

  // Of the client being played:
  DrawName name;
  std::span<const int> device_widths;
  Moment moment;
  BatchGradient* gradient = nullptr;
  std::uint32_t steps = 0;
  std::uint32_t planned_steps = 1;
  std::uint32_t version = 0;
  std::uint32_t planned_rounds = 1;
  double loss_sum = 0;
  std::size_t seen = 0;

  const std::atomic<bool>* stop = nullptr;
};

Trainer::State::State(const TrainingPlan& of)
    : plan(of), wants_gradient(of.method.rule || of.method.penalty || of.objective), whole(of, 1) {
  const std::size_t size = plan.layout->size();
  received.resize(size);
  local.resize(size);
  gradients.resize(size);
  optimizer_state.resize(size * static_cast<std::size_t>(plan.optimizer->state_buffers()));
  if (plan.method.rule) rule_scratch.resize(size * static_cast<std::size_t>(plan.method.rule->scratch_buffers()));
  widths.assign(plan.network->slots().size(), kFloatWidth);
  steps_of_tensor.resize(plan.layout->tensors().size());
  sent.reserve(plan.uploaded.size());
  order.reserve(plan.largest_client);
}

BatchGradient& Trainer::State::gradient_in(std::uint32_t chunks) {
  if (chunks == 1) return whole;
  if (!cut || cut->chunks() != chunks) {
    cut.reset();
    cut = std::make_unique<BatchGradient>(plan, chunks);
  }
  return *cut;
}

void Trainer::State::start_client(const TaskMessage& task, std::size_t examples, int threads) {
  name = {plan.seed, Purpose::kShuffle, task.id.round, task.id.client, 0, 0};
  std::copy(received.begin(), received.end(), local.begin());
  std::fill(optimizer_state.begin(), optimizer_state.end(), 0.0F);
  std::fill(steps_of_tensor.begin(), steps_of_tensor.end(), 0U);
  const std::size_t per_epoch =
      (examples + static_cast<std::size_t>(plan.batch) - 1) / static_cast<std::size_t>(plan.batch);
  planned_steps = static_cast<std::uint32_t>(per_epoch * static_cast<std::size_t>(plan.epochs));
  version = task.version;
  planned_rounds = std::max(1U, task.planned_rounds);
  steps = 0;
  loss_sum = 0;
  seen = 0;
  gradient = &gradient_in(task.chunks);
  gradient->begin_client(local, threads);
}

bool Trainer::State::epoch(const ExamplesView& examples, const Normalization& normalization, int number) {
  order.resize(examples.size());
  std::iota(order.begin(), order.end(), 0U);
  Stream stream({name.seed, Purpose::kShuffle, name.round, name.client, static_cast<std::uint32_t>(number), 0});
  stream.shuffle(std::span<std::uint32_t>(order));
  const std::size_t size = static_cast<std::size_t>(plan.batch);
  for (std::size_t at = 0; at < order.size(); at += size) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return false;
    const std::span<const std::uint32_t> picks =
        std::span<const std::uint32_t>(order).subspan(at, std::min(size, order.size() - at));
    gradient->gather(examples, picks, normalization);
    step();
  }
  return true;
}

Score Trainer::State::at(std::span<const std::uint8_t> at_widths, std::span<float> into, bool update_statistics) {
  return gradient->at(at_widths, moment, local, into, update_statistics);
}

void Trainer::State::step() {
  moment.draw = {name.seed, Purpose::kWidths, name.round, name.client, steps, 0};
  const double fraction = static_cast<double>(steps) / static_cast<double>(planned_steps);
  moment.progress = (static_cast<double>(version) + fraction) / static_cast<double>(planned_rounds);
  moment.device_widths = device_widths;
  if (plan.method.schedule) plan.method.schedule->choose(moment, plan.network->slots(), widths);
  const std::optional<PlainStep> plain = wants_gradient ? std::nullopt : plan.optimizer->plain_step(moment.progress);
  const Score score = plain ? gradient->descend(widths, moment, local, *plain, gradients) : step_by_gradient();
  gradient->count_trained(steps_of_tensor);
  loss_sum += score.loss * static_cast<double>(gradient->live());
  seen += gradient->live();
  ++steps;
}

/// The gradient as the method makes it, then the optimiser's step.
Score Trainer::State::step_by_gradient() {
  const Score score =
      plan.method.rule ? plan.method.rule->step(*this, widths, gradients, rule_scratch) : at(widths, gradients, true);
  if (plan.method.penalty) plan.method.penalty->add(*plan.network, local, gradients);
  if (plan.objective) plan.objective->add(*plan.layout, local, received, gradients);
  plan.optimizer->step(*plan.layout, local, gradients, optimizer_state, moment.progress, static_cast<int>(steps));
  return score;
}

/// A quantizer's tensor is trained by the steps whose widths used it; every other uploaded tensor by all steps.
void Trainer::State::name_trained(UpdateMessage& update) const {
  update.tensors.clear();
  update.shares.clear();
  for (const int t : plan.uploaded) {
    const std::size_t index = static_cast<std::size_t>(t);
    if (plan.layout->tensors()[index].role != Role::kQuantizer) {
      update.tensors.push_back(static_cast<std::uint32_t>(t));
    } else if (steps_of_tensor[index] > 0) {
      update.shares.push_back({static_cast<std::uint32_t>(t), steps_of_tensor[index]});
    }
  }
}

void Trainer::State::encode(UpdateMessage& update, std::span<float> kept) {
  for (std::size_t i = 0; i < local.size(); ++i) local[i] -= received[i];
  if (plan.method.client_state)
    plan.method.client_state->before_upload(
        *plan.layout, {name.seed, Purpose::kClientState, name.round, name.client, 0, 0}, kept, local);
  sent.clear();
  for (const std::uint32_t t : update.tensors) sent.push_back(static_cast<int>(t));
  for (const TensorShare& share : update.shares) sent.push_back(static_cast<int>(share.tensor));
  delta.clear();
  plan.uplink->encode(*plan.layout, sent, local, {name.seed, Purpose::kCodec, name.round, name.client, 0, 0}, delta);
  update.delta = delta;
}

namespace {

constexpr int kTries = 5;

std::string refuse_chunks(const TrainingPlan& plan, std::uint32_t chunks) {
  const auto most = std::min(kMostChunks, static_cast<std::uint32_t>(plan.batch));
  const auto refuse = [&](const std::string& why) {
    return "the task cuts batches into " + std::to_string(chunks) + " chunks, but " + why;
  };
  if (chunks < 1 || chunks > most) return refuse("1 to " + std::to_string(most) + " can be");
  if (chunks > 1 && !can_be_cut(*plan.network, *plan.layout))
    return refuse("this network keeps statistics of whole batches");
  return "";
}

}  // namespace

Trainer::Trainer(const TrainingPlan& plan) : state_(std::make_unique<State>(plan)) {}
Trainer::~Trainer() = default;
void Trainer::stop_when(const std::atomic<bool>& asked) { state_->stop = &asked; }
void Trainer::watch(NodeTimes* times) { state_->whole.watch(times); }

std::size_t Trainer::bytes() const {
  const State& state = *state_;
  return held_bytes(state.received, state.local, state.gradients, state.optimizer_state, state.rule_scratch) +
         state.whole.bytes() + (state.cut ? state.cut->bytes() : 0);
}

double Trainer::try_steps(std::span<const float> parameters, const ExamplesView& examples,
                          const Normalization& normalization, std::span<const int> device_widths) {
  State& state = *state_;
  std::ranges::copy(parameters, state.received.begin());
  state.device_widths = device_widths;
  state.start_client({}, examples.size(), 1);
  state.order.resize(std::min(examples.size(), static_cast<std::size_t>(state.plan.batch)));
  std::iota(state.order.begin(), state.order.end(), 0U);
  double least = std::numeric_limits<double>::infinity();
  for (int number = 0; number <= kTries; ++number) {
    const auto begin = std::chrono::steady_clock::now();
    state.gradient->gather(examples, state.order, normalization);
    state.step();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (number > 0) least = std::min(least, seconds.count());  // the first prepares kernels
  }
  return least;
}

std::string Trainer::train(const TaskMessage& task, const ExamplesView& examples, const Normalization& normalization,
                           std::span<const int> device_widths, UpdateMessage& update, int threads,
                           std::span<float> kept) {
  State& state = *state_;
  assert(kept.size() == client_floats(state.plan.method, *state.plan.layout));
  if (task.layout != state.plan.layout->digest()) return "the task's network is not the one of this scenario";
  if (examples.size() == 0) return "this client has no examples";
  if (std::string reason = refuse_chunks(state.plan, task.chunks); !reason.empty()) return reason;
  const std::string refusal =
      state.plan.downlink->decode(*state.plan.layout, state.plan.broadcast, task.parameters, state.received);
  if (!refusal.empty()) return "parameters: " + refusal;
  state.device_widths = device_widths;
  state.start_client(task, examples.size(), threads);
  for (int number = 0; number < state.plan.epochs; ++number)
    if (!state.epoch(examples, normalization, number)) return "stopped";
  update.id = task.id;
  update.layout = task.layout;
  update.digest = crc32c(task.parameters);
  update.examples = static_cast<std::uint32_t>(examples.size());
  update.steps = state.steps;
  update.loss = state.loss_sum / static_cast<double>(state.seen);
  state.name_trained(update);
  state.encode(update, kept);
  return "";
}

}  // namespace anybit
