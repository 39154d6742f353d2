#include "sim/players.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <tuple>
#include <utility>

#include "client/training.h"
#include "nn/parallel.h"

namespace anybit {
namespace {

/// A line that got out of step would hand one client's answer over as another's.
void require_same(const TaskId& arrived, const TaskId& expected, const char* what) {
  if (arrived == expected) return;
  throw TransportError(
      fmt::format("transport: the {} of client {} in round {} arrived in place of client {}'s in "
                  "round {}; go on with --resume",
                  what, arrived.client, arrived.round, expected.client, expected.round));
}

}  // namespace

struct Players::Worker {
  std::unique_ptr<Trainer> trainer;
  ExamplePool scratch;
  Message received;
  UpdateMessage update;
  FloatBuffer kept;  // of the client that is played
};

Players::Players(const Federation& federation, Transport& transport, int threads, std::string folder)
    : federation_(federation),
      transport_(transport),
      threads_(threads),
      states_(client_floats(federation.training.method, *federation.training.layout),
              {static_cast<std::uint64_t>(federation.scenario.limits.client_memory), std::move(folder)}) {
  for (int i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>());
}

Players::~Players() = default;

void Players::equip(std::uint32_t client, std::vector<int> widths) {
  if (widths.empty())
    widths_.erase(client);
  else
    widths_.insert_or_assign(client, std::move(widths));
}

std::span<const int> Players::widths(std::uint32_t client) const {
  const auto own = widths_.find(client);
  return own == widths_.end() ? federation_.fleet.widths(client) : own->second;
}

bool Players::play(std::span<DueAnswer* const> wave, const std::function<bool()>& stop) {
  for (const DueAnswer* due : wave) states_.prepare(due->client);
  order_.resize(wave.size());
  std::iota(order_.begin(), order_.end(), 0U);
  const auto is_cut = [&](std::uint32_t item) { return wave[item]->chunks > 1; };
  const auto examples = [&](std::uint32_t item) { return federation_.data->examples(wave[item]->client); };
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::make_tuple(is_cut(b), examples(b), a) < std::make_tuple(is_cut(a), examples(a), b);
  });
  const auto cut = static_cast<std::size_t>(std::ranges::count_if(order_, is_cut));
  std::atomic<bool> stopped = false;
  const auto play = [&](std::size_t place, int worker, int threads) {
    if (stop && stop()) stopped = true;
    if (!stopped) play_one(worker, *wave[order_[place]], threads);
  };
  for (std::size_t place = 0; place < cut; ++place) play(place, 0, threads_);
  const auto body = [&](std::size_t item, int worker) { play(cut + item, worker, 1); };
  parallel_for(order_.size() - cut, threads_, std::cref(body));  // by reference: a copy would be allocated
  return !stopped;
}

void Players::play_one(int number, DueAnswer& due, int threads) {
  const Traffic before = transport_.traffic(number);
  due.worker = number;
  due.played = true;
  exchange(number, due, threads);
  due.traffic = transport_.traffic(number) - before;
}

void Players::exchange(int number, DueAnswer& due, int threads) {
  Worker& worker = *workers_[static_cast<std::size_t>(number)];
  const TaskId expected{due.task->message.id.run, due.task->message.id.round, due.client};
  transport_.carry_task(number, *due.task, due.receiver(), worker.received);
  const auto& task = std::get<TaskMessage>(worker.received);
  require_same(task.id, expected, "task");
  due.lost = train(worker, due.client, task, threads);
  if (!due.lost.empty()) return;
  transport_.carry_update(number, worker.update, *due.update);
  require_same(due.update->update().id, expected, "update");
}

std::string Players::train(Worker& worker, std::uint32_t client, const TaskMessage& task, int threads) {
  if (!worker.trainer) worker.trainer = std::make_unique<Trainer>(federation_.training);
  const FederatedData& data = *federation_.data;
  const ExamplesView examples = data.client(client, worker.scratch);
  const auto play = [&] {
    return worker.trainer->train(task, examples, data.normalization, widths(client), worker.update, threads,
                                 worker.kept);
  };
  if (states_.floats() == 0) return play();
  KeptState& state = states_.of(client);
  if (std::string reason = state.settle(task.counted); !reason.empty()) return reason;
  worker.kept.resize(states_.floats());
  state.copy_current(worker.kept);
  std::string reason = play();
  if (reason.empty()) state.propose(task.id.round, worker.kept);
  return reason;
}

}  // namespace anybit
