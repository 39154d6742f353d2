#include "sim/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sim/federation_run.h"

namespace anybit {
namespace {

FederationPlan plan_of(const Federation& federation, const std::vector<LoggedEvent>& events, int threads) {
  const bool is_virtual = !events.empty() && events.front().virtual_time;
  return is_virtual ? virtual_plan(federation, threads) : federation.plan(threads);
}

bool same_bytes(const FloatBuffer& a, const FloatBuffer& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

bool same_downlinks(const FederationState& a, const FederationState& b) {
  return std::ranges::equal(a.downlinks, b.downlinks, [](const Downlink& one, const Downlink& other) {
    return one.version == other.version && one.digest == other.digest && *one.bytes == *other.bytes;
  });
}

}  // namespace

Replay::Replay(const Federation& federation, std::vector<LoggedEvent> events, int threads)
    : federation_(federation),
      events_(std::move(events)),
      transport_(make_memory_transport(threads)),
      players_(federation, *transport_, threads),
      coordinator_(plan_of(federation, events_, threads), federation.first_state()) {
  for (int i = 0; i < FederationRun::largest_wave(threads); ++i) boxes_.push_back(std::make_unique<ReceivedUpdate>());
}

std::string Replay::run() {
  for (std::size_t index = 0; index < events_.size(); ++index)
    if (const std::string difference = handle(index); !difference.empty())
      return fmt::format("events.log:{}: {}", index + 1, difference);
  return {};
}

std::string Replay::handle(std::size_t index) {
  const LoggedEvent& event = events_[index];
  if (concluded_ && event.kind != LoggedEvent::Kind::kConcluded)
    return fmt::format("round {} is over before, but not in the log", *concluded_);
  switch (event.kind) {
    case LoggedEvent::Kind::kStarted: feed(Started{}, event.time); break;
    case LoggedEvent::Kind::kJoined:
      equip(event);
      feed(ClientJoined{event.client}, event.time);
      break;
    case LoggedEvent::Kind::kLost:
    case LoggedEvent::Kind::kUnreplaced:
      pending_.erase(event.client);
      feed(ClientLost{event.client, event.reason, event.kind == LoggedEvent::Kind::kLost}, event.time);
      break;
    case LoggedEvent::Kind::kTime: feed(TimePassed{}, event.time); break;
    case LoggedEvent::Kind::kUpdate: return handle_update(index);
    case LoggedEvent::Kind::kConcluded: return handle_conclusion(event);
  }
  return {};
}

/// With widths that the method cannot train at no client has made an update.
void Replay::equip(const LoggedEvent& event) {
  const TrainingPlan& plan = federation_.training;
  std::vector<int> widths(event.widths.begin(), event.widths.end());
  if (plan.method.refuse && !plan.method.refuse(*plan.network, widths).empty()) return;
  players_.equip(event.client, std::move(widths));
}

std::string Replay::handle_conclusion(const LoggedEvent& event) {
  if (std::exchange(concluded_, std::nullopt) == event.round) return {};
  return fmt::format("round {} is over in the log, but not in the replay", event.round);
}

std::string Replay::handle_update(std::size_t index) {
  const LoggedEvent& event = events_[index];
  const auto found = pending_.find(event.client);
  if (event.round >= rounds_of_tasks_)
    return fmt::format("client {} answers a task of round {} that it does not have", event.client, event.round);
  if (found == pending_.end() || found->second.due.task->message.id.round != event.round) return refuse(event);
  Task& task = found->second;
  if (!task.answered && !task.due.played) play_from(index);
  if (!task.due.lost.empty()) return fmt::format("client {} has no update now: {}", event.client, task.due.lost);
  const std::uint32_t crc = task.answered.value_or(task.due.update->frame_crc);
  if (crc != event.crc && (task.answered || !begins_afresh(task.due, event.crc)))
    return fmt::format(
        "the update of client {} has checksum {:08x}, the log says {:08x} (data that only it had is named "
        "by --own)",
        event.client, crc, event.crc);
  // The box is free afterwards: of an update that comes again the coordinator reads no more than the task's name.
  UpdateMessage again;
  again.id = task.due.task->message.id;
  again.id.client = event.client;
  again.digest = task.due.task->parameters_crc;
  const UpdateMessage* update = task.answered ? &again : &task.due.update->update();
  task.answered = event.crc;
  feed(UpdateArrived{event.client, update, players_.widths(event.client)}, event.time);
  return {};
}

/// Plays it again with zeros in place of the client's state. Whether its update is this one then.
bool Replay::begins_afresh(DueAnswer& due, std::uint32_t crc) {
  if (players_.states().floats() == 0 || due.counted == 0) return false;
  players_.states().of(due.client).start_afresh(due.counted);
  DueAnswer* const wave[] = {&due};
  players_.play(wave);
  if (!due.lost.empty() || due.update->frame_crc != crc) return false;
  ++begun_afresh_;
  return true;
}

/// Of an update that counts for nothing the coordinator reads no more than the task's name.
std::string Replay::refuse(const LoggedEvent& event) {
  UpdateMessage late;
  late.id = {federation_.run, event.round, event.client};
  feed(UpdateArrived{event.client, &late}, event.time);
  return {};
}

/// Plays this update and those that follow it in the log and have their task already, each once. All that were played
/// before are handled, so every box is free.
void Replay::play_from(std::size_t index) {
  std::vector<DueAnswer*> wave;
  for (std::size_t i = index; i < events_.size() && wave.size() < boxes_.size(); ++i) {
    if (events_[i].kind != LoggedEvent::Kind::kUpdate) break;
    const auto found = pending_.find(events_[i].client);
    if (found == pending_.end() || found->second.due.task->message.id.round != events_[i].round) break;
    DueAnswer& due = found->second.due;
    if (due.update != nullptr) continue;  // an update that came twice
    due.update = boxes_[wave.size()].get();
    wave.push_back(&due);
  }
  players_.play(wave);
}

void Replay::feed(const Event& event, double time) {
  actions_.clear();
  coordinator_.handle(event, time, actions_);
  std::shared_ptr<const CohortTask> shared;
  for (const Action& action : actions_) {
    if (const auto* let_go = std::get_if<Release>(&action)) pending_.erase(let_go->task.client);
    if (const auto* conclude = std::get_if<ConcludeRound>(&action)) {
      std::erase_if(pending_, [](const auto& one) { return one.second.answered.has_value(); });
      players_.states().settle(coordinator_.state());
      concluded_ = conclude->report.round - 1;
    }
    const auto* send = std::get_if<SendTask>(&action);
    if (!send) continue;
    rounds_of_tasks_ = std::max(rounds_of_tasks_, send->task.round + 1);
    if (!shared || shared->parameters != send->parameters || shared->message.id.round != send->task.round)
      shared = make_cohort_task(federation_.training, *send);
    Task task;
    task.due.client = send->client;
    task.due.chunks = send->chunks;
    task.due.counted = send->counted;
    task.due.task = shared;
    pending_.insert_or_assign(send->client, std::move(task));
  }
}

std::string compare_states(const FederationState& logged, const FederationState& replayed) {
  if (logged.version != replayed.version)
    return fmt::format("it ends at round {}, the replay at round {}", logged.version, replayed.version);
  if (logged.round != replayed.round)
    return fmt::format("it took {} rounds, the replay {}", logged.round, replayed.round);
  if (!same_bytes(logged.global.values, replayed.global.values)) return "its parameters differ";
  if (!same_bytes(logged.strategy_state, replayed.strategy_state)) return "its strategy state differs";
  if (logged.counted != replayed.counted) return "others counted last";
  if (logged.time != replayed.time)
    return fmt::format("it ends at {} s, the replay at {} s", logged.time, replayed.time);
  if (logged.expected_round != replayed.expected_round)
    return fmt::format("it expects a round to take {} s, the replay {} s", logged.expected_round,
                       replayed.expected_round);
  if (logged.tasks != replayed.tasks)
    return fmt::format("it gave {} tasks, the replay {}", logged.tasks, replayed.tasks);
  if (logged.in_flight != replayed.in_flight || !same_downlinks(logged, replayed)) return "others are at work";
  return {};
}

}  // namespace anybit
