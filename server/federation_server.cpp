// Start at run(). Events come in from the sessions below it, actions go out through act(). What clients say of tasks is
// in federation_server_answers.cpp, the turn of a round in federation_server_commit.cpp, what is told meanwhile in
// federation_server_told.cpp.
#include "server/federation_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "nn/kernel_set.h"

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kLookAround{100};
constexpr std::size_t kFailuresTold = 3;

double seconds(std::chrono::steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::string whole_seconds(std::chrono::milliseconds time) {
  return fmt::format("{} s", std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

FederationServer::FederationServer(const Federation& federation, const ServerSettings& settings, Sessions& sessions,
                                   RunRecorder& recorder, Progress& progress, FederationState start, double last_time)
    : federation_(federation),
      settings_(settings),
      sessions_(sessions),
      recorder_(recorder),
      progress_(progress),
      coordinator_(federation.plan(settings.threads), std::move(start)),
      pace_(federation.scenario.federation.policy.pace, seconds(settings.grace) / 2, federation.scenario.seed),
      first_time_(last_time) {
  if (settings.had_run) roster_.expect({0, federation.scenario.data.clients});
}

bool FederationServer::run(const Stop& stop) {
  tell_phase();
  take(Started{}, first_time_);  // the time at which a replay goes on
  work_off(stop);
  while (!is_over()) {
    if (stop()) return false;
    sessions_.poll(turn());
    settings_.on_turn();
    work_off(stop);
    wake_if_due();
    work_off(stop);
    look_around(stop);
  }
  return finished_ && !gave_up_ && finish(stop);
}

/// Up to the next wake-up, if that is near.
std::chrono::milliseconds FederationServer::turn() const {
  if (!wake_) return kLookAround;
  const auto left = std::chrono::milliseconds(std::llround(1000 * std::clamp(*wake_ - now(), 0.0, 1.0)));
  return std::min(kLookAround, left);
}

void FederationServer::wake_if_due() {
  if (is_over() || !wake_ || now() < *wake_) return;
  wake_.reset();
  take(TimePassed{});
}

/// Ten times a second: it walks over all who have a task, or are here.
void FederationServer::look_around(const Stop& stop) {
  const Clock::time_point time = Clock::now();
  if (is_over() || time < next_look_) return;
  next_look_ = time + kLookAround;
  give_up_the_lost(stop);
  if (!is_over()) send_away_who_is_not_needed();
  tell_who_is_awaited();
}

bool FederationServer::has_task(ClientRange clients) const {
  const auto next = deliveries_.lower_bound(clients.first);
  return next != deliveries_.end() && clients.holds(next->first);
}

/// What it may still be sending, nobody waits for: it will send that again, and then it stays until the round is over.
void FederationServer::send_away_who_is_not_needed() {
  std::vector<std::pair<ConnectionId, double>> sent;
  for (const auto& [connection, hello] : roster_.present()) {
    if (has_task({hello.client, hello.clients})) continue;
    if (const std::optional<double> wait = pace_.send_away(coordinator_.progress().round, hello.client))
      sent.emplace_back(connection, *wait);
  }
  for (const auto& [connection, wait] : sent) {
    // A client takes half of it more, and up to twice as long, lest all who hear the same come at once.
    const auto named = static_cast<std::uint32_t>(std::clamp(1000 * wait / 2, 1.0, 1e9));
    sessions_.close(connection, {"not needed now", Farewell::kComeAgain, named});
    roster_.leave(connection, Clock::now() + std::chrono::milliseconds(2 * std::uint64_t{named}));
  }
}

double FederationServer::now() const {
  return first_time_ + seconds(stopped_at_.value_or(Clock::now()) - begin_ - paused_);
}

void FederationServer::stop_clock() {
  if (!stopped_at_) stopped_at_ = Clock::now();
}

/// Unless there is a reason for it to stand still.
void FederationServer::run_clock() {
  if (!stopped_at_ || committing_ || roster_.came() < federation_.scenario.federation.policy.minimum) return;
  paused_ += Clock::now() - *stopped_at_;
  stopped_at_.reset();
}

// Events.

void FederationServer::take(const Event& event, double time) {
  recorder_.event(describe(event, time, coordinator_.progress().round, 0));
  handle(event, time);
  note_conclusions(time);
}

void FederationServer::handle(const Event& event, double time) {
  answered_.clear();
  coordinator_.handle(event, time, answered_);
  std::ranges::copy(answered_, std::back_inserter(actions_));
}

/// Behind the event that ended a round.
void FederationServer::note_conclusions(double time) {
  for (const Action& action : answered_)
    if (const auto* conclude = std::get_if<ConcludeRound>(&action)) recorder_.event(describe(conclude->report, time));
}

/// The coordinator hears of those alone who have a task: to the others it says nothing, and each would be a line of the
/// log.
void FederationServer::joined(ConnectionId connection, const Hello& hello) {
  const ClientRange clients{hello.client, hello.clients};
  send_away_older(clients);
  roster_.join(connection, hello);
  run_clock();
  if (!pace_.come_back(hello.client)) tell_of_clients(clients, "joined");
  if (hello.kernel_set != kernel_set())
    progress_.tell(
        fmt::format("{} computes with kernels '{}', this is '{}': results are valid; a replay needs the kernels that "
                    "the clients have, all the same",
                    clients_text(clients), hello.kernel_set, kernel_set()));
  note_state(hello);
  if (is_busy())
    somebody_came_ = true;
  else
    give_tasks_again(clients);
}

/// To those of them who are on another line than they were told on.
void FederationServer::give_tasks_again(ClientRange clients) {
  for (auto next = deliveries_.lower_bound(clients.first); next != deliveries_.end() && clients.holds(next->first);
       ++next) {
    const ConnectionId line = roster_.playing(next->first);
    if (line == 0 || line == next->second.connection) continue;
    take(ClientJoined{next->first, widths_[next->first] = roster_.hello(line)->widths});
  }
}

/// The newest line alone counts. An older one is mostly dead, but it may be another device's, to which somebody gave
/// the same number, and that would wait for ever.
void FederationServer::send_away_older(ClientRange clients) {
  const ConnectionId older = roster_.playing(clients.first);
  const Hello* hello = roster_.hello(older);
  if (hello == nullptr || hello->client != clients.first || hello->clients != clients.count) return;
  sessions_.close(older, {fmt::format("{} joined from somewhere else", clients_text(clients))});
  roster_.leave(older);
  progress_.tell(
      fmt::format("{} is here already: its older line is closed; if that was another device, give each a "
                  "number of its own",
                  clients_text(clients)));
}

/// A state that is older than the last one that counted may have a younger one beside it. One that is younger is of a
/// server that had got further: the client has the one before it, or will decline.
void FederationServer::note_state(const Hello& hello) {
  const std::uint32_t known = counted(coordinator_.progress(), hello.client);
  if (federation_.training.method.client_state && hello.state_version > known)
    progress_.tell(fmt::format("client {0} has a state of {1} {2}, its last update that counts is of {1} {3}",
                               hello.client, is_asynchronous_ ? "task" : "round", hello.state_version, known));
}

void FederationServer::lost(ConnectionId connection, ClientRange clients, const std::string& reason) {
  roster_.leave(connection);
  if (reason.starts_with(kSaidGoodbye)) roster_.excuse(clients);  // it will not come back by itself
  tell_of_clients(clients, "is gone: " + reason);
  for (auto next = deliveries_.lower_bound(clients.first); next != deliveries_.end() && clients.holds(next->first);
       ++next) {
    Delivery& delivery = next->second;
    if (delivery.connection != connection) continue;
    delivery.connection = 0;
    delivery.phase = Phase::kAway;
    delivery.since = Clock::now();
  }
}

void FederationServer::held(ClientRange clients) { roster_.excuse(clients); }

void FederationServer::staging(std::size_t uploads) {
  uploads_read_ = uploads;
  tell_phase();
}

FederationServer::Delivery* FederationServer::delivery_of(const TaskId& id) {
  const auto found = deliveries_.find(id.client);
  return found == deliveries_.end() || found->second.task.task != id ? nullptr : &found->second;
}

/// Who has a task. Not while it is busy: it may be that nobody waits for that task any more.
void FederationServer::give_up(std::uint32_t client, const std::string& reason) {
  assert(!is_busy());
  ++counts_.lost;
  deliveries_.erase(client);
  note_failure(fmt::format("client {} is lost: {}", client, reason));
  take(ClientLost{client, reason, !stopped_at_.has_value()});
}

/// One after the other: what follows from a loss is done before the next one, for it may end the round.
void FederationServer::give_up_the_lost(const Stop& stop) {
  for (auto next = deliveries_.begin(); next != deliveries_.end() && !is_over();) {
    const std::uint32_t client = next->first;
    if (const std::string reason = why_lost(next->second); !reason.empty()) {
      give_up(client, reason);
      work_off(stop);
    }
    next = deliveries_.upper_bound(client);
  }
}

/// Why its task is not waited for any more; "" where it is.
std::string FederationServer::why_lost(const Delivery& delivery) const {
  const Clock::duration time = Clock::now() - delivery.since;
  if (delivery.phase == Phase::kAway && time >= settings_.grace) return "away for " + whole_seconds(settings_.grace);
  const std::chrono::milliseconds longest = std::max(settings_.grace, settings_.answer);
  if (delivery.phase == Phase::kOffered && !delivery.may_have_it && time >= longest)
    return fmt::format("did not answer the offer for {}", whole_seconds(longest));
  return "";
}

// Actions.

void FederationServer::work_off(const Stop& stop) {
  do {
    while (!actions_.empty() && !stopped_) {
      Action action = std::move(actions_.front());
      actions_.pop_front();
      act(action, stop);
    }
  } while (!stopped_ && take_postponed());
}

/// One thing at a time, for it may end a round. False where nothing has waited.
bool FederationServer::take_postponed() {
  if (const std::optional<ClientAnswer> answer = postponed_.take()) {
    take_answer(*answer, answer->message);
    return true;
  }
  const bool anybody = std::exchange(somebody_came_, false);
  if (anybody) give_tasks_again({0, federation_.scenario.data.clients});
  return anybody;
}

void FederationServer::act(Action& action, const Stop& stop) {
  if (const auto* task = std::get_if<SendTask>(&action)) {
    offer(*task);
  } else if (const auto* acknowledge = std::get_if<SendAcknowledge>(&action)) {
    take_over(acknowledge->task);
  } else if (const auto* reject = std::get_if<SendReject>(&action)) {
    ++(reject->reason == kLate ? counts_.late : counts_.refused);
    if (reject->reason != kLate)
      note_failure(fmt::format("the update of client {} is refused: {}", reject->task.client, reject->reason));
    answer(reject->task, Reject{reject->task, reject->reason});
  } else if (const auto* conclude = std::get_if<ConcludeRound>(&action)) {
    stopped_ = !commit(conclude->report, stop);
  } else if (const auto* let_go = std::get_if<Release>(&action)) {
    release(let_go->task);
  } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
    wake_.reset();
    if (!std::isinf(wake->time)) wake_ = wake->time;
  } else if (const auto* ended = std::get_if<EndFederation>(&action)) {
    finished_ = true;
    gave_up_ = ended->gave_up;
  }
}

/// The update counts, or did already.
void FederationServer::take_over(const TaskId& task) {
  if (const Delivery* delivery = delivery_of(task)) {
    ++counts_.accepted;
    ++updates_;
    if (delivery->sent) pace_.note_update(seconds(Clock::now() - *delivery->sent));
  } else {
    ++counts_.doubles;
  }
  answer(task, Acknowledge{task});
}

void FederationServer::answer(const TaskId& task, const Message& message) {
  const auto* reject = std::get_if<Reject>(&message);
  const bool is_over = reject == nullptr || reject->reason != kOtherParameters;
  if (is_over && delivery_of(task) != nullptr) deliveries_.erase(task.client);
  const ConnectionId connection = roster_.playing(task.client);
  if (connection != 0) send(connection, message);
}

/// Whoever has heard of the task need not go on with it.
void FederationServer::release(const TaskId& task) {
  const Delivery* delivery = delivery_of(task);
  if (delivery == nullptr) return;
  ++counts_.released;
  if (delivery->phase != Phase::kAway) send(delivery->connection, Reject{task, kLate});
  deliveries_.erase(task.client);
}

void FederationServer::offer(const SendTask& task) {
  Delivery& delivery = deliveries_[task.client];
  if (delivery.task.task != task.task) {
    delivery = {};
    delivery.since = Clock::now();
    delivery.may_have_it = settings_.had_run && coordinator_.progress().round == first_round_;
  }
  delivery.task = task;
  tell_phase();
  deliver(delivery);
}

/// Offers the task to its client, if that is here.
void FederationServer::deliver(Delivery& delivery) {
  const ConnectionId connection = roster_.playing(delivery.task.client);
  if (connection == 0) return;
  const Part& method = federation_.scenario.training.method;
  Offer offer;
  offer.id = delivery.task.task;
  offer.layout = federation_.training.layout->digest();
  offer.parameters = delivery.task.parameters->size();
  offer.digest = delivery.task.digest;
  offer.chunks = delivery.task.chunks;
  offer.counted = delivery.task.counted;
  offer.method = method.name;
  offer.options = options_text(method.options);
  if (!send(connection, offer)) return;
  delivery.connection = connection;
  delivery.phase = Phase::kOffered;
  delivery.since = Clock::now();
}

/// A large model's downlink is not kept here longer than somebody lacks it.
void FederationServer::send_task(Delivery& delivery) {
  SendTask& task = delivery.task;
  auto head = std::make_shared<Bytes>();
  append_frame_head(*make_cohort_task(federation_.training, task), {task.client, task.chunks, task.counted}, *head);
  if (!send(delivery.connection, std::move(head), task.parameters)) return;
  task.parameters.reset();
  delivery.phase = Phase::kSent;
  delivery.since = Clock::now();
  if (!delivery.sent) delivery.sent = delivery.since;
  delivery.may_have_it = anybody_works_ = true;
  tell_phase();
}

void FederationServer::note_failure(std::string failure) {
  if (failures_.size() < kFailuresTold) failures_.push_back(std::move(failure));
}

bool FederationServer::send(ConnectionId connection, const Message& message) {
  return send(connection, std::make_shared<const Bytes>(encode_frame(message)));
}

bool FederationServer::send(ConnectionId connection, std::shared_ptr<const Bytes> frame,
                            std::shared_ptr<const Bytes> bulk) {
  const std::size_t bytes = frame->size() + (bulk ? bulk->size() : 0);
  const bool sent = sessions_.send(connection, std::move(frame), std::move(bulk));
  if (sent) bytes_down_ += bytes;
  return sent;
}

}  // namespace anybit
