// Start at run(): connections one after the other; serve() is one of them, take() what is heard there.
#include "client/participant.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "nn/kernel_set.h"
#include "program/exit_code.h"
#include "program/quantity_text.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnect{10000};
constexpr milliseconds kGreet{10000};
constexpr milliseconds kFarewell{1000};
constexpr milliseconds kFrame{std::chrono::hours(1)};  // a task's way here, on a slow line; silence ends it sooner
constexpr milliseconds kAtOnce{1};
constexpr milliseconds kFirstWait{200};
constexpr milliseconds kLongestWait{30000};
constexpr milliseconds kNotice{50};      // how soon a stop is noticed
constexpr milliseconds kAtWork{2};       // how soon the end of a short training is noticed
constexpr milliseconds kLongAtWork{20};  // and of one that takes longer than a second

}  // namespace

struct Participant::Work {
  Work(const Welcome& welcome, const ParticipantSettings& settings);

  /// Why an offered task is not taken; "" where it is.
  std::string refuse(const ParticipantSettings& settings, const Offer& offer);

  Scenario scenario;
  LocalData data;
  TrainingPlan plan;
  std::uint32_t client;
  std::optional<TaskCost> cost;  // where there are limits
  std::unique_ptr<TrainingJob> job;
  VersionedState state;
  std::optional<StateFile> state_file;  // where the method keeps a state

 private:
  static LocalData load(const Scenario& scenario, const ParticipantSettings& settings);
};

LocalData Participant::Work::load(const Scenario& scenario, const ParticipantSettings& settings) {
  if (!settings.shard) return LocalData(scenario, settings.data);
  if (settings.shard->clients != scenario.data.clients)
    throw CommandError(fmt::format("--shard {}/{}: the server's scenario has {} clients", settings.shard->client,
                                   settings.shard->clients, scenario.data.clients));
  const std::vector<std::string> named = {settings.data.folder};
  return LocalData(scenario, settings.shard->client, settings.data.folder.empty() ? settings.data_directories : named);
}

Participant::Work::Work(const Welcome& welcome, const ParticipantSettings& settings)
    : scenario(parse_scenario_within(welcome.scenario, "the server's scenario")),
      data(load(scenario, settings)),
      plan(make_plan(scenario, data.shape(), data.classes())),
      client(settings.shard ? settings.shard->client : settings.client) {
  plan.largest_client = static_cast<std::uint32_t>(data.examples().size());
  if (data.examples().size() == 0) throw CommandError("there are no examples here to train on");
  const Fleet fleet(scenario.fleet, scenario.seed);
  const std::span<const int> widths = settings.widths.empty() ? fleet.widths(client) : std::span(settings.widths);
  job = std::make_unique<TrainingJob>(plan, data, widths, settings.threads);
  if (const std::size_t floats = client_floats(plan.method, *plan.layout); floats > 0)
    state_file.emplace(settings.state_folder, welcome.run, client, floats);
}

std::string Participant::Work::refuse(const ParticipantSettings& settings, const Offer& offer) {
  const TaskLimits& limits = settings.limits;
  if (offer.layout != plan.layout->digest()) return "its network is not the one of the scenario";
  if (std::string reason = refuse_method(limits, offer.method); !reason.empty()) return reason;
  if (state_file && !state.has(offer.counted) && !settings.fresh_state) return state.lacks(offer.counted);
  if (limits.memory == 0 && limits.seconds == 0) return "";
  if (std::string reason = refuse_bytes(limits, least_task_bytes(plan)); !reason.empty()) return reason;
  if (!cost) cost = measure_task(plan, data.examples().size());
  const std::string reason = refuse_bytes(limits, cost->bytes);
  return reason.empty() ? refuse_seconds(limits, cost->seconds) : reason;
}

Participant::Participant(ParticipantSettings settings, Tell tell)
    : settings_(std::move(settings)),
      tell_(std::move(tell)),
      connection_({}, settings_.tls),
      backoff_(kFirstWait, kLongestWait) {}

Participant::~Participant() = default;

bool Participant::run(const Stop& stop) {
  heard_ = Clock::now();
  std::string told;
  while (!stop()) {
    std::string failure;
    End end = enter(failure);
    if (end == End::kWelcomed) {
      told.clear();
      backoff_.reset();
      end = serve(stop);
    } else if (!failure.empty() && failure != told) {
      tell_(failure + "; trying again");
      told = failure;
    }
    if (end != End::kLost) return end == End::kOver;
    if (Clock::now() - heard_ > settings_.give_up)
      throw CommandError(fmt::format("{}; there was no word from the server for {} (--give-up)", failure,
                                     duration_text(std::chrono::duration<double>(settings_.give_up).count())));
    if (!wait(backoff_.next(std::exchange(hint_, milliseconds(0))), stop)) break;
  }
  return false;
}

/// Connects and greets. kLost: `failure` says what did not work and may work later.
Participant::End Participant::enter(std::string& failure) {
  failure = connection_.connect(settings_.host, settings_.port, kConnect);
  if (connection_.refused()) throw CommandError(failure);
  if (!failure.empty()) return End::kLost;
  Message answer;
  failure = connection_.send(encode_frame(hello()), kGreet);
  if (failure.empty()) failure = connection_.receive(answer, kGreet);
  if (failure.empty()) {
    heard_ = spoke_ = Clock::now();
    if (const auto* goodbye = std::get_if<Goodbye>(&answer)) {
      const End end = take(*goodbye);
      failure = "the server says: " + goodbye->reason;
      return end;
    }
    const auto* welcome = std::get_if<Welcome>(&answer);
    if (welcome == nullptr) throw CommandError("the server answered Hello with something else than Welcome");
    if (prepare(*welcome)) return End::kWelcomed;
    hint_ = kAtOnce;
  }
  if (connection_.refused()) throw CommandError(failure);
  connection_.close();
  return End::kLost;
}

Hello Participant::hello() const {
  Hello hello;
  hello.client = settings_.shard ? settings_.shard->client : settings_.client;
  hello.kernel_set = kernel_set();
  hello.memory = static_cast<std::uint64_t>(settings_.limits.memory);
  hello.widths.assign(settings_.widths.begin(), settings_.widths.end());
  if (work_) hello.state_version = work_->state.current().name;
  if (work_ && !settings_.shard) hello.examples = static_cast<std::uint32_t>(work_->data.examples().size());
  return hello;
}

/// Makes what the run needs, where it is not there yet. False where the server should hear another Hello: of how many
/// examples there are, or of the state that is kept, which only its scenario tells how to read.
bool Participant::prepare(const Welcome& welcome) {
  heartbeat_ = milliseconds(welcome.heartbeat_milliseconds);
  if (work_ && run_ == welcome.run) return true;
  kept_.reset();  // of another run
  work_.reset();
  work_ = std::make_unique<Work>(welcome, settings_);
  run_ = welcome.run;
  tell_(fmt::format("client {} with {} examples, {} parameters, method '{}'", work_->client,
                    work_->data.examples().size(), work_->plan.layout->size(), work_->scenario.training.method.name));
  if (work_->state_file)
    if (const std::string damage = work_->state_file->read(work_->state); !damage.empty())
      tell_(fmt::format("its state is lost: {}", damage));
  return settings_.shard.has_value() && work_->state.current().name == 0;
}

/// One connection, from Welcome to its end.
Participant::End Participant::serve(const Stop& stop) {
  if (kept_) send_kept();
  Message message;
  while (!stop()) {
    if (work_->job->at_work() && work_->job->is_done()) keep_answer();
    const std::string reason = connection_.receive(message, patience(), kFrame);
    heard_ = std::max(heard_, connection_.last_heard());
    if (reason.empty()) {
      if (const std::optional<End> end = take(message)) return *end;
    } else if (!connection_.is_open()) {
      tell_("lost the server: " + reason);
      return End::kLost;
    }
    const Clock::time_point now = Clock::now();
    if (heartbeat_.count() > 0 && now - spoke_ >= heartbeat_ && connection_.has_sent_all()) send(Heartbeat{});
    if (heartbeat_.count() > 0 && now - heard_ >= kSilentHeartbeats * heartbeat_) {
      tell_("lost the server: it was silent for too long");
      connection_.close();
      return End::kLost;
    }
  }
  // Behind an update that is not read yet nobody would wait for a Goodbye.
  if (connection_.has_sent_all()) (void)connection_.send(encode_frame(Goodbye{"the client was stopped"}), kFarewell);
  connection_.close();
  return End::kStopped;
}

/// How long to listen before anything else needs a look.
milliseconds Participant::patience() const {
  if (!work_->job->at_work()) return kNotice;
  return Clock::now() - task_began_ < std::chrono::seconds(1) ? kAtWork : kLongAtWork;
}

std::optional<Participant::End> Participant::take(Message& message) {
  if (const auto* offer = std::get_if<Offer>(&message)) {
    take(*offer);
  } else if (const auto* task = std::get_if<TaskMessage>(&message)) {
    take(*task);
  } else if (const auto* acknowledge = std::get_if<Acknowledge>(&message)) {
    forget(acknowledge->id, "");
  } else if (const auto* reject = std::get_if<Reject>(&message)) {
    forget(reject->id, reject->reason);
  } else if (const auto* goodbye = std::get_if<Goodbye>(&message)) {
    tell_("the server says: " + goodbye->reason);
    return take(*goodbye);
  }
  return std::nullopt;
}

Participant::End Participant::take(const Goodbye& goodbye) {
  connection_.close();
  if (goodbye.farewell == Farewell::kRefused)
    throw CommandError(fmt::format("the server refuses this client: {}", goodbye.reason));
  hint_ = milliseconds(goodbye.wait_milliseconds);
  return goodbye.farewell == Farewell::kOver ? End::kOver : End::kLost;
}

void Participant::take(const Offer& offer) {
  if (kept_ && kept_->task == offer.id) return send_kept();
  if (work_->job->at_work() && work_->job->task().id == offer.id) return;  // its answer will come
  if (const std::string reason = work_->refuse(settings_, offer); !reason.empty()) {
    tell_(fmt::format("round {}: declines: {}", offer.id.round + 1, reason));
    send(Decline{offer.id, reason});
  } else {
    send(Accept{offer.id});
  }
}

void Participant::take(const TaskMessage& task) {
  work_->job->cancel();  // of an earlier round: nobody waits for it any more
  kept_.reset();
  task_began_ = Clock::now();
  FloatBuffer kept;
  if (work_->state_file) {
    if (const std::string reason = settle_state(task); !reason.empty()) return cannot_do(task.id, reason);
    kept.resize(client_floats(work_->plan.method, *work_->plan.layout));
    work_->state.copy_current(kept);
  }
  work_->job->start(task, std::move(kept));
}

/// Brings the state to the version that the task counts on.
std::string Participant::settle_state(const TaskMessage& task) {
  VersionedState& state = work_->state;
  if (task.counted == 0 && state.current().name != 0) tell_("the run begins anew for this client: so does its state");
  std::string reason = state.settle(task.counted);
  if (reason.empty() || !settings_.fresh_state) return reason;
  tell_(fmt::format("round {}: {}; it begins afresh, at zeros (--fresh-state)", task.id.round + 1, reason));
  state.start_afresh(task.counted);
  return "";
}

/// On the disk before anybody hears of the update, or a client that is killed would lack what the server counts on.
std::string Participant::keep_state(const TaskId& task) {
  if (!work_->state_file) return "";
  work_->state.propose(task.round, work_->job->kept());
  return work_->state_file->write(work_->state);
}

void Participant::forget(const TaskId& task, const std::string& rejection) {
  if (work_->job->at_work() && work_->job->task().id == task) {
    tell_(fmt::format("round {}: stops: the server says: {}", task.round + 1, rejection));
    work_->job->cancel();
    return;
  }
  if (!rejection.empty())
    tell_(fmt::format("round {}: the server does not take the update: {}", task.round + 1, rejection));
  if (kept_ && kept_->task == task) kept_.reset();
}

/// Takes the update from the job, and sends it.
void Participant::keep_answer() {
  const TaskId task = work_->job->task().id;
  UpdateMessage update;
  std::string reason = work_->job->finish(update);
  if (reason.empty()) reason = keep_state(task);
  if (!reason.empty()) return cannot_do(task, reason);
  tell_(fmt::format("round {}: trained on {} examples in {:.2f} s, loss {:.4f}", task.round + 1, update.examples,
                    std::chrono::duration<double>(Clock::now() - task_began_).count(), update.loss));
  kept_ = Kept{task, std::make_shared<const Bytes>(encode_frame(update))};
  send_kept();
}

void Participant::cannot_do(const TaskId& task, const std::string& reason) {
  tell_(fmt::format("round {}: cannot do it: {}", task.round + 1, reason));
  send(Decline{task, reason});
}

void Participant::send_kept() { send(kept_->frame); }

void Participant::send(const Message& message) { send(std::make_shared<const Bytes>(encode_frame(message))); }

/// A failure shows where the server is listened to next.
void Participant::send(std::shared_ptr<const Bytes> frame) {
  connection_.queue(std::move(frame));
  spoke_ = Clock::now();
}

/// False where `stop` said so.
bool Participant::wait(milliseconds time, const Stop& stop) const {
  for (const Clock::time_point end = Clock::now() + time; Clock::now() < end;) {
    if (stop()) return false;
    std::this_thread::sleep_for(std::min<Clock::duration>(kNotice, end - Clock::now()));
  }
  return true;
}

}  // namespace anybit
