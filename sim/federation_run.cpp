#include "sim/federation_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace anybit {
namespace {

constexpr int kTasksPerThread = 8;
constexpr int kLargestWave = 64;
constexpr std::size_t kFailuresTold = 3;

}  // namespace

FederationPlan virtual_plan(const Federation& federation, int threads) {
  FederationPlan plan = federation.plan(threads);
  const Fleet& fleet = federation.fleet;
  if (!fleet.takes_time()) return plan;
  plan.virtual_time = true;
  plan.reachability.reachable = [&fleet](std::uint32_t client, double time) { return fleet.available(client, time); };
  plan.reachability.next = [&fleet](std::uint32_t client, double time) { return fleet.next_available(client, time); };
  plan.reachability.until = [&fleet](std::uint32_t client, double time) { return fleet.available_until(client, time); };
  return plan;
}

FederationRun::FederationRun(const Federation& federation, FederationState start, int threads, EventSink sink,
                             const ClientsAtStart& clients)
    : federation_(federation),
      transport_(make_transport(federation, threads)),
      players_(federation, *transport_, threads, clients.folder),
      coordinator_(virtual_plan(federation, threads), std::move(start)),
      costs_(federation),
      timed_(federation.fleet.takes_time()),
      sink_(std::move(sink)),
      time_(state().time) {
  players_.states().restore(state(), clients.saved);
}

std::optional<RoundRecord> FederationRun::next_round(const std::function<bool()>& stop) {
  const auto begin = std::chrono::steady_clock::now();
  if (!std::exchange(started_, true)) take(Started{timed_}, nullptr);
  while (!finished_) {
    if (!next_event(stop)) return std::nullopt;
    if (!concluded_) continue;
    RoundRecord record = take_record();
    record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return record;
  }
  return std::nullopt;
}

RoundRecord FederationRun::take_record() {
  RoundRecord record;
  record.report = *std::exchange(concluded_, std::nullopt);
  if (record.report.clients == 0) record.report.train_loss = std::numeric_limits<double>::quiet_NaN();  // of nobody
  const Traffic traffic = std::exchange(traffic_, {});
  record.bytes_down = traffic.down;
  record.bytes_up = traffic.up;
  record.failures = std::exchange(failures_, {});
  if (timed_) record.time = time_;
  record.tasks = std::exchange(tasks_, {});
  for (TaskRecord& task : record.tasks) {
    task.round = record.report.round;
    if (record.report.abandoned && task.outcome == TaskOutcome::kCounted) task.outcome = TaskOutcome::kAbandoned;
  }
  return record;
}

bool FederationRun::next_event(const std::function<bool()>& stop) {
  if (const std::optional<double> wake = queue_.next_wake()) {
    if (stop && stop()) return false;
    queue_.pop_wake();
    time_ = *wake;
    take(TimePassed{}, nullptr);
    return true;
  }
  if (queue_.empty()) throw std::logic_error("the federation waits for answers and nobody has a task");
  if (!queue_.front().played) return play_wave(stop);
  hand_over(queue_.pop());
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
  if (!players_.play(wave_, stop)) return false;
  if (timed_)
    for (DueAnswer* due : wave_) set_time(*due);
  return true;
}

void FederationRun::set_time(DueAnswer& due) {
  if (!due.lost.empty()) {  // it sends nothing, and is missed when the least update would be there
    due.up = 0;
    return;
  }
  set_size(due, static_cast<double>(due.traffic.up));
  const double arrives = due.began + due.times.total();
  if (arrives > due.ends) {
    due.lost = due.end_reason;
    due.traffic.up = 0;
  }
  queue_.move(due, std::min(arrives, due.ends));
}

void FederationRun::set_size(DueAnswer& due, double up) {
  due.up = up;
  due.times = costs_.times(due.id(), static_cast<double>(due.task_bytes), up);
}

void FederationRun::hand_over(DueAnswer due) {
  time_ = due.time;
  traffic_ += due.traffic;
  if (due.lost.empty()) {
    take(UpdateArrived{due.client, &due.update->update()}, &due);
  } else {
    if (due.lost != due.end_reason) tell(fmt::format("client {} is lost: {}", due.client, due.lost));
    take(ClientLost{due.client, due.lost}, &due);
  }
  if (due.update != nullptr) free_boxes_.push_back(due.update);
}

void FederationRun::take(const Event& event, const DueAnswer* answer) {
  if (sink_) {
    const std::uint32_t crc = answer && answer->lost.empty() ? answer->update->frame_crc : 0;
    sink_(describe(event, time_, coordinator_.progress().round, crc));
  }
  actions_.clear();
  version_ = coordinator_.progress().version;
  if (std::holds_alternative<ClientLost>(event)) record(*answer, TaskOutcome::kLost);
  coordinator_.handle(event, time_, actions_);
  for (Action& action : actions_) act(action, answer);
}

void FederationRun::act(Action& action, const DueAnswer* answer) {
  if (auto* send = std::get_if<SendTask>(&action)) {
    queue_task(*send);
  } else if (const auto* acknowledge = std::get_if<SendAcknowledge>(&action)) {
    record(*answer, TaskOutcome::kCounted);
    answer_client(answer, Acknowledge{acknowledge->task});
  } else if (const auto* reject = std::get_if<SendReject>(&action)) {
    record(*answer, reject->reason == kLate ? TaskOutcome::kTooLate : TaskOutcome::kRefused);
    tell(fmt::format("the update of client {} is refused: {}", reject->task.client, reject->reason));
    answer_client(answer, Reject{reject->task, reject->reason});
  } else if (const auto* let_go = std::get_if<Release>(&action)) {
    release(let_go->task.client);
  } else if (const auto* over = std::get_if<ConcludeRound>(&action)) {
    conclude(over->report);
  } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
    queue_.wake_at(wake->time);
  } else if (const auto* ended = std::get_if<EndFederation>(&action)) {
    finished_ = true;
    gave_up_ = ended->gave_up;
    nobody_left_ = ended->nobody_left;
  }
}

void FederationRun::conclude(const RoundReport& report) {
  if (sink_) sink_(describe(report, time_));
  if (players_.states().floats() > 0) players_.states().settle(coordinator_.state());
  concluded_ = report;
}

void FederationRun::queue_task(const SendTask& send) {
  if (!task_ || task_->parameters != send.parameters || task_->message.id.round != send.task.round)
    task_ = make_cohort_task(federation_.training, send);
  DueAnswer due;
  due.client = send.client;
  due.chunks = send.chunks;
  due.counted = send.counted;
  due.task = task_;
  frame_head_.clear();
  append_frame_head(*due.task, due.receiver(), frame_head_);
  due.task_bytes = frame_head_.size() + due.task->parameters->size();
  due.sent = send.since;
  due.time = due.began = send.since + send.delay;
  if (timed_) set_end(due);
  queue_.push(std::move(due));
}

void FederationRun::set_end(DueAnswer& due) {
  set_size(due, costs_.least_update());
  due.time = due.began + due.times.total();
  const double away = federation_.fleet.available_until(due.client, due.sent);
  const double drops_out_after = costs_.drops_out_after(due.id(), due.times.total());
  const double dropped = due.began + drops_out_after;
  due.ends = std::min(away, dropped);
  due.end_reason = away <= dropped ? "went away" : "dropped out";
  // Not by comparing times alone: where nothing takes time, a client drops out at the moment at which it would be done.
  if (due.time <= due.ends && !std::isfinite(drops_out_after)) return;
  due.time = std::max(due.ends, due.began);
  due.lost = due.end_reason;
  due.played = true;
  if (due.came_by(due.time)) due.traffic.down = due.task_bytes;
}

void FederationRun::release(std::uint32_t client) {
  std::optional<DueAnswer> due = queue_.take(client);
  if (!due) throw std::logic_error("the federation releases a client that has no task");
  if (due->came_by(time_)) traffic_.down += due->task_bytes;
  // How far ahead it was played depends on the number of threads. Its size is known with any once the least update
  // would be there.
  const double up = due->up;
  if (timed_) set_size(*due, costs_.least_update());
  if (timed_ && time_ > due->began + due->times.total()) set_size(*due, up);
  record(*due, TaskOutcome::kReleased);
  if (due->update != nullptr) free_boxes_.push_back(due->update);
}

void FederationRun::record(const DueAnswer& due, TaskOutcome outcome) {
  if (!timed_) return;
  const bool is_cut = outcome == TaskOutcome::kLost || outcome == TaskOutcome::kReleased;
  const double seconds = is_cut ? time_ - due.began : kNever;
  PlayedCost cost;
  if (due.came_by(time_)) cost = costs_.cost(due.id(), due.times, seconds, static_cast<double>(due.task_bytes), due.up);
  const std::uint32_t version = due.task->message.version;
  tasks_.push_back({.client = due.client,
                    .device_class = federation_.fleet.class_of(due.client),
                    .sent = due.sent,
                    .began = std::min(due.began, time_),
                    .ended = time_,
                    .outcome = outcome,
                    .version = version,
                    .staleness = version_ - version,
                    .down_seconds = cost.times.down,
                    .compute_seconds = cost.times.compute,
                    .up_seconds = cost.times.up,
                    .flops = cost.flops,
                    .bytes_down = cost.bytes_down,
                    .bytes_up = cost.bytes_up,
                    .joules = cost.joules});
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
