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
constexpr milliseconds kGoodbyeTime{1000};
constexpr milliseconds kFrame{std::chrono::hours(1)};  // a task's way here, on a slow line; silence ends it sooner
constexpr milliseconds kAtOnce{1};
constexpr milliseconds kFirstWait{200};
constexpr milliseconds kLongestWait{30000};
constexpr milliseconds kNotice{50};      // how soon a stop is noticed
constexpr milliseconds kAtWork{2};       // how soon the end of a short training is noticed
constexpr milliseconds kLongAtWork{20};  // and of one that takes longer than a second
constexpr milliseconds kLongestHint{std::chrono::minutes(5)};
constexpr std::size_t kSmallBody = std::size_t{1} << 20;  // of all that comes but tasks
constexpr std::size_t kTaskFields = 256;                  // beside its parameters

}  // namespace

Participant::Participant(ParticipantSettings settings, Tell tell)
    : settings_(std::move(settings)),
      tell_(std::move(tell)),
      connection_({.body = kSmallBody}, settings_.tls),
      backoff_(kFirstWait, kLongestWait) {}

Participant::~Participant() = default;

bool Participant::run(const Stop& stop) {
  heard_ = Clock::now();
  std::string told;
  while (!stop()) {
    End end = enter();
    if (end == End::kWelcomed) {
      told.clear();
      end = serve(stop);
    } else if (!failure_.empty() && failure_ != told) {
      tell_(end == End::kLost ? failure_ + "; trying again" : failure_);
      told = failure_;
    }
    if (end != End::kLost) return end == End::kOver;
    const auto left = settings_.give_up - std::chrono::duration_cast<milliseconds>(Clock::now() - heard_);
    if (left.count() < 0)
      throw CommandError(fmt::format("{}; there was no word from the server for {} (--give-up)", failure_,
                                     duration_text(std::chrono::duration<double>(settings_.give_up).count())));
    const milliseconds due = backoff_.next(std::exchange(hint_, milliseconds(0)));
    if (!wait(std::min(due, std::max(left, kFirstWait)), stop)) break;
  }
  return false;
}

/// Connects and greets. kLost: failure_ says what did not work and may work later.
Participant::End Participant::enter() {
  connection_.limit_body(kSmallBody);
  accepted_.reset();
  dropped_.reset();
  Message answer;
  failure_ = connection_.connect(settings_.host, settings_.port, kConnect);
  if (failure_.empty()) failure_ = connection_.greet(hello(), answer, kGreet);
  if (connection_.refused()) throw CommandError(failure_);
  if (!failure_.empty()) {
    const std::string where = fmt::format("{}:{}: ", settings_.host, settings_.port);
    if (!failure_.starts_with(where)) failure_ = where + failure_;
    if (!run_) failure_ += "; is this where anybit-server listens?";
    connection_.close();
    return End::kLost;
  }
  heard_ = spoke_ = Clock::now();
  if (const auto* goodbye = std::get_if<Goodbye>(&answer)) return take(*goodbye);
  try {
    if (prepare(std::get<Welcome>(answer))) return End::kWelcomed;
  } catch (const std::exception&) {  // whose words may name folders of this machine
    say_goodbye("it cannot take part; its own screen says why");
    throw;
  }
  say_goodbye("it has read its data and comes again");
  hint_ = kAtOnce;
  return End::kLost;
}

void Participant::say_goodbye(const std::string& reason) {
  (void)connection_.send(encode_frame(Goodbye{reason}), kGoodbyeTime);
  connection_.close();
}

Hello Participant::hello() const {
  Hello hello;
  hello.client = settings_.shard ? settings_.shard->client : settings_.client;
  hello.kernel_set = kernel_set();
  hello.memory = static_cast<std::uint64_t>(settings_.limits.memory);
  hello.widths.assign(settings_.widths.begin(), settings_.widths.end());
  if (run_) hello.state_version = run_->state.current().name;
  if (run_ && !settings_.shard) hello.examples = static_cast<std::uint32_t>(run_->data.examples().size());
  return hello;
}

/// Makes what the run needs, where it is not there yet. False where the server should hear another Hello: of how many
/// examples there are, or of the state that is kept, which only its scenario tells how to read; or where this took so
/// long that the server may take the client for lost.
bool Participant::prepare(const Welcome& welcome) {
  heartbeat_ = milliseconds(welcome.heartbeat_milliseconds);
  if (run_ && run_->run == welcome.run) return true;
  const Clock::time_point began = Clock::now();
  kept_.reset();  // of another run
  run_.reset();
  run_ = std::make_unique<ClientRun>(welcome, settings_);
  tell_(fmt::format("client {} with {} examples, {} parameters, method '{}'", run_->client,
                    run_->data.examples().size(), run_->plan.layout->size(), run_->scenario.training.method.name));
  if (run_->state_file)
    if (const std::string damage = run_->state_file->read(run_->state); !damage.empty())
      tell_(fmt::format("its state is lost: {}", damage));
  if (!settings_.shard || run_->state.current().name != 0) return false;
  return heartbeat_.count() == 0 || Clock::now() - began < heartbeat_;
}

/// One connection, from Welcome to its end.
Participant::End Participant::serve(const Stop& stop) {
  if (kept_) send_kept();
  Message message;
  while (!stop()) {
    if (run_->at_work() && run_->job->is_done()) keep_answer();
    const std::string reason = connection_.receive(message, patience(), kFrame);
    heard_ = std::max(heard_, connection_.last_heard());
    if (reason.empty()) {
      if (const std::optional<End> end = take(message)) return *end;
      heard_ = Clock::now();  // while this end was busy nobody listened
    } else if (!connection_.is_open()) {
      return lose(reason);
    }
    const Clock::time_point now = Clock::now();
    if (heartbeat_.count() > 0 && now - spoke_ >= heartbeat_ && connection_.has_sent_all()) {
      send(Heartbeat{});
      backoff_.reset();
    }
    if (heartbeat_.count() > 0 && now - heard_ >= kSilentHeartbeats * heartbeat_)
      return lose("it was silent for too long");
  }
  // Behind an update that is not read yet nobody would wait for a Goodbye.
  if (connection_.has_sent_all()) say_goodbye("the client was stopped");
  connection_.close();
  return End::kStopped;
}

/// How long to listen before anything else needs a look.
milliseconds Participant::patience() const {
  if (!run_->at_work()) return kNotice;
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
    const End end = take(*goodbye);
    tell_(failure_);
    return end;
  } else if (!std::holds_alternative<Heartbeat>(message)) {
    const std::string flaw = std::holds_alternative<Welcome>(message) ? "a second Welcome" : "what only a client says";
    say_goodbye("sent " + flaw);
    return lose("it sent " + flaw);
  }
  return std::nullopt;
}

Participant::End Participant::lose(const std::string& reason) {
  failure_ = "lost the server: " + reason;
  tell_(failure_);
  connection_.close();
  return End::kLost;
}

Participant::End Participant::take(const Goodbye& goodbye) {
  connection_.close();
  failure_ = "the server says: " + goodbye.reason;
  if (goodbye.farewell == Farewell::kRefused)
    throw CommandError(fmt::format("the server refuses this client: {}", goodbye.reason));
  hint_ = std::min(milliseconds(goodbye.wait_milliseconds), kLongestHint);
  return goodbye.farewell == Farewell::kOver ? End::kOver : End::kLost;
}

void Participant::take(const Offer& offer) {
  // A server that lost its last checkpoint makes the same task of other parameters: then it begins anew.
  if (kept_ && kept_->task == offer.id) {
    if (kept_->digest == offer.digest) return;  // it was sent when it was made, or at Welcome
    dropped_ = offer.id;
    kept_.reset();
  }
  if (run_->at_work() && run_->job->task().id == offer.id) {
    if (run_->job->digest() == offer.digest) return;  // its answer will come
    run_->job->cancel();
  }
  if (const std::string reason = run_->refuse(offer); !reason.empty()) {
    tell_(fmt::format("{}: declines: {}", run_->name_of(offer.id), reason));
    send(Decline{offer.id, reason});
  } else {
    accepted_ = offer;
    connection_.limit_body(std::max<std::size_t>(kSmallBody, offer.parameters + kTaskFields));
    send(Accept{offer.id});
  }
}

void Participant::take(const TaskMessage& task) {
  const std::string difference = accepted_ ? differs(task, *accepted_) : "it was not accepted";
  if (!difference.empty()) return cannot_do(task.id, difference);
  accepted_.reset();
  dropped_.reset();
  backoff_.reset();
  if (run_->at_work()) run_->job->cancel();  // of an earlier round: nobody waits for it any more
  kept_.reset();
  task_began_ = Clock::now();
  FloatBuffer kept;
  if (run_->state_file) {
    if (const std::string reason = settle_state(task); !reason.empty()) return cannot_do(task.id, reason);
    kept.resize(client_floats(run_->plan.method, *run_->plan.layout));
    run_->state.copy_current(kept);
  }
  if (const std::string reason = run_->start(task, std::move(kept)); !reason.empty()) cannot_do(task.id, reason);
}

/// Brings the state to the version that the task counts on.
std::string Participant::settle_state(const TaskMessage& task) {
  VersionedState& state = run_->state;
  if (task.counted == 0 && state.current().name != 0) tell_("the run begins anew for this client: so does its state");
  std::string reason = state.settle(task.counted);
  if (reason.empty() || !settings_.fresh_state) return reason;
  tell_(fmt::format("{}: {}; it begins afresh, at zeros (--fresh-state)", run_->name_of(task.id), reason));
  state.start_afresh(task.counted);
  return "";
}

/// On the disk before anybody hears of the update, or a client that is killed would lack what the server counts on.
std::string Participant::keep_state(const TaskId& task) {
  if (!run_->state_file) return "";
  run_->state.propose(task.round, run_->job->kept());
  return run_->state_file->write(run_->state);
}

void Participant::forget(const TaskId& task, const std::string& rejection) {
  if (dropped_ == task) return dropped_.reset();
  if (run_->at_work() && run_->job->task().id == task) {
    tell_(fmt::format("{}: stops: the server says: {}", run_->name_of(task), rejection));
    run_->job->cancel();
    return;
  }
  if (accepted_ && accepted_->id == task) {
    tell_(fmt::format("{}: is not needed any more", run_->name_of(task)));
    accepted_.reset();
  }
  if (!kept_ || kept_->task != task) return;
  if (!rejection.empty())
    tell_(fmt::format("{}: the server does not take the update: {}", run_->name_of(task), rejection));
  kept_.reset();
}

/// Takes the update from the job, and sends it.
void Participant::keep_answer() {
  const TaskId task = run_->job->task().id;
  UpdateMessage update;
  std::string reason = run_->job->finish(update);
  if (reason.empty()) reason = keep_state(task);
  if (!reason.empty()) return cannot_do(task, reason);
  tell_(fmt::format("{}: trained on {} examples in {:.2f} s, loss {:.4f}", run_->name_of(task), update.examples,
                    std::chrono::duration<double>(Clock::now() - task_began_).count(), update.loss));
  kept_ = Kept{task, update.digest, std::make_shared<const Bytes>(encode_frame(update))};
  send_kept();
}

void Participant::cannot_do(const TaskId& task, const std::string& reason) {
  tell_(fmt::format("{}: cannot do it: {}", run_->name_of(task), reason));
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
