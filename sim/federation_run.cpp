#include "sim/federation_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <utility>

namespace anybit {
namespace {

constexpr int kTasksPerThread = 8;
constexpr int kLargestWave = 64;
constexpr std::size_t kFailuresTold = 3;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

FederationRun::FederationRun(const Federation& federation, FederationState start, int threads, EventSink sink,
                             std::span<const float> client_states)
    : federation_(federation),
      transport_(make_transport(federation, threads)),
      players_(federation, *transport_, threads),
      coordinator_(federation.plan(threads), std::move(start)),
      sink_(std::move(sink)) {
  players_.states().restore(state(), client_states);
}

std::optional<RoundRecord> FederationRun::next_round(const std::function<bool()>& stop) {
  const auto begin = std::chrono::steady_clock::now();
  if (!std::exchange(started_, true)) take(Started{}, nullptr);
  while (!finished_) {
    if (!next_event(stop)) return std::nullopt;
    if (!concluded_) continue;
    RoundRecord record;
    record.report = *std::exchange(concluded_, std::nullopt);
    if (record.report.clients == 0) record.report.train_loss = std::numeric_limits<double>::quiet_NaN();  // of nobody
    record.seconds = seconds_since(begin);
    const Traffic traffic = std::exchange(traffic_, {});
    record.bytes_down = traffic.down;
    record.bytes_up = traffic.up;
    record.failures = std::exchange(failures_, {});
    return record;
  }
  return std::nullopt;
}

bool FederationRun::next_event(const std::function<bool()>& stop) {
  if (const std::optional<double> wake = queue_.next_wake()) {
    queue_.pop_wake();
    time_ = *wake;
    take(TimePassed{}, nullptr);
    return true;
  }
  if (queue_.empty()) throw std::logic_error("the federation waits for answers and nobody has a task");
  if (!queue_.front().played && !play_wave(stop)) return false;
  const DueAnswer due = std::move(queue_.front());
  queue_.pop();
  hand_over(due);
  return true;
}

int FederationRun::largest_wave(int threads) { return std::min(kLargestWave, kTasksPerThread * threads); }

bool FederationRun::play_wave(const std::function<bool()>& stop) {
  const int most = largest_wave(players_.threads());
  queue_.next_unplayed(static_cast<std::size_t>(most), wave_);
  for (DueAnswer* due : wave_) {
    if (free_boxes_.empty()) free_boxes_.push_back(&boxes_.emplace_back());
    due->update = free_boxes_.back();
    free_boxes_.pop_back();
  }
  return players_.play(wave_, stop);
}

void FederationRun::hand_over(const DueAnswer& due) {
  time_ = due.time;
  traffic_ += due.traffic;
  if (due.lost.empty()) {
    take(UpdateArrived{due.client, &due.update->update()}, &due);
  } else {
    tell(fmt::format("client {} is lost: {}", due.client, due.lost));
    take(ClientLost{due.client, due.lost}, &due);
  }
  free_boxes_.push_back(due.update);
}

void FederationRun::take(const Event& event, const DueAnswer* answer) {
  if (sink_) {
    const std::uint32_t crc = answer && answer->lost.empty() ? answer->update->frame_crc : 0;
    sink_(describe(event, time_, coordinator_.state().round, crc));
  }
  actions_.clear();
  coordinator_.handle(event, time_, actions_);
  for (Action& action : actions_) act(action, answer);
}

void FederationRun::act(Action& action, const DueAnswer* answer) {
  if (auto* send = std::get_if<SendTask>(&action)) {
    queue_task(*send);
  } else if (const auto* acknowledge = std::get_if<SendAcknowledge>(&action)) {
    answer_client(answer, Acknowledge{acknowledge->task});
  } else if (const auto* reject = std::get_if<SendReject>(&action)) {
    tell(fmt::format("the update of client {} is refused: {}", reject->task.client, reject->reason));
    answer_client(answer, Reject{reject->task, reject->reason});
  } else if (const auto* conclude = std::get_if<ConcludeRound>(&action)) {
    if (sink_) sink_(describe(conclude->report, time_));
    drop_rest_of(conclude->report.round - 1);
    players_.states().settle(state());
    concluded_ = conclude->report;
  } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
    queue_.wake_at(wake->time);
  } else if (const auto* ended = std::get_if<EndFederation>(&action)) {
    finished_ = true;
    gave_up_ = ended->gave_up;
  }
}

void FederationRun::queue_task(const SendTask& send) {
  if (!task_ || task_->parameters != send.parameters) task_ = make_cohort_task(federation_.training, send);
  DueAnswer due;
  due.time = time_;
  due.client = send.client;
  due.chunks = send.chunks;
  due.counted = send.counted;
  due.task = task_;
  queue_.push(std::move(due));
}

void FederationRun::drop_rest_of(std::uint32_t round) {
  for (const DueAnswer& due : queue_.take_round(round)) {
    frame_.clear();
    append_frame_head(*due.task, due.receiver(), frame_);
    traffic_.down += frame_.size() + due.task->parameters->size();
    if (due.update != nullptr) free_boxes_.push_back(due.update);
  }
}

void FederationRun::answer_client(const DueAnswer* answer, const Message& message) {
  if (answer == nullptr || answer->worker < 0) return;
  const Traffic before = transport_->traffic(answer->worker);
  transport_->carry_answer(answer->worker, message);
  traffic_ += transport_->traffic(answer->worker) - before;
}

void FederationRun::tell(std::string failure) {
  if (failures_.size() < kFailuresTold) failures_.push_back(std::move(failure));
}

}  // namespace anybit
