// The process anybit-server: from its options to the model.
#include <fmt/format.h>

#include <cstdio>
#include <future>
#include <optional>

#include "nn/kernel_set.h"
#include "program/descriptors.h"
#include "program/exit_code.h"
#include "program/interrupt.h"
#include "program/resident_memory.h"
#include "program/tell.h"
#include "server/observer.h"
#include "server/record/provenance.h"
#include "server/record/resume.h"
#include "server/record/trace_copies.h"
#include "server/resolve.h"
#include "server/roster.h"
#include "server/server_options.h"
#include "wire/tls_folder.h"

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kPollTurn{50};
constexpr std::chrono::milliseconds kRecovered{100};  // clients are told to come again so soon while data is loaded,
constexpr std::chrono::milliseconds kStartedAgain{1000};  // and so soon where the server ends
constexpr std::chrono::milliseconds kFarewell{5000};
// A client that has lost its server tries again after 30 s at the latest (client/participant.cpp).
constexpr std::chrono::seconds kLingerForTheMissing{32};

using Clock = std::chrono::steady_clock;

/// Hands on to whoever serves; before there is anyone, nobody is welcomed.
class Doorway final : public SessionListener {
 public:
  void hand_on_to(SessionListener& listener) { behind_ = &listener; }

  void joined(ConnectionId connection, const Hello& hello) override { behind_->joined(connection, hello); }
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
               Bytes& storage) override {
    behind_->arrived(connection, message, frame, storage);
  }
  void lost(ConnectionId connection, ClientRange clients, const std::string& reason) override {
    if (behind_ != nullptr) behind_->lost(connection, clients, reason);
  }
  void held(ClientRange clients) override {
    if (behind_ != nullptr) behind_->held(clients);
  }
  void staging(std::size_t uploads) override {
    if (behind_ != nullptr) behind_->staging(uploads);
  }
  void turned_away(const std::string& address, const std::string& reason) override {
    if (behind_ != nullptr) behind_->turned_away(address, reason);
  }

 private:
  SessionListener* behind_ = nullptr;
};

SessionSettings session_settings(const ServerOptions& options, const Scenario& scenario) {
  const ListenAddress listen = parse_listen(options.listen);
  if (!listen.is_loopback && options.tls.empty() && !options.insecure)
    throw CommandError(
        fmt::format("--listen {}: beyond this machine the network is not to be trusted; give the folder "
                    "that scripts/provision makes (--tls DIR/server), or type --insecure to do without",
                    options.listen));
  SessionSettings settings;
  if (!options.tls.empty()) settings.tls = tls_folder(options.tls, TlsContext::Side::kServer);
  settings.warn = tell;
  settings.address = listen.address;
  settings.port = listen.port;
  settings.clients = scenario.data.clients;
  settings.welcome.scenario = result_bearing_text(scenario);
  settings.welcome.run = text_digest(settings.welcome.scenario);
  settings.welcome.heartbeat_milliseconds = static_cast<std::uint32_t>(options.heartbeat_seconds * 1000);
  settings.silence = kSilentHeartbeats * std::chrono::milliseconds(settings.welcome.heartbeat_milliseconds);
  // Each client may have an old connection beside its new one; what else is open are files.
  constexpr std::size_t kOthers = 64;
  const std::size_t wanted = 2 * std::min<std::size_t>(scenario.data.clients, 100'000) + kOthers;
  const std::size_t allowed = raise_descriptor_limit(wanted + kOthers);
  settings.connections = std::min(wanted, std::max(allowed, 2 * kOthers) - kOthers);
  if (settings.connections < scenario.data.clients)
    tell(
        fmt::format("this system allows {} open files, so of {} clients no more than {} can be here at once; `ulimit "
                    "-Hn` raises it",
                    allowed, scenario.data.clients, settings.connections));
  return settings;
}

/// All that takes its time before clients can be served.
struct Loaded {
  Federation federation;
  FederationState state;
};

Loaded load(const Scenario& scenario, const std::vector<std::string>& data, const RunDirectory& directory,
            StartingPoint& start) {
  Loaded loaded{make_federation(scenario, start.checkpoint ? with_trace_copies(data, directory) : data), {}};
  loaded.state = prepare_directory(directory, loaded.federation, start);
  write_origin(directory, loaded.federation, start.kernels, loaded.state.version);
  return loaded;
}

double last_time(const RunDirectory& directory) {
  if (!std::filesystem::exists(directory.events())) return 0;
  const std::vector<LoggedEvent> events = read_event_log(directory.events().string());
  return events.empty() ? 0 : events.back().time;
}

ServerSettings server_settings(const ServerOptions& options, bool had_run, RunLock& lock, Observer& observer) {
  ServerSettings settings;
  settings.had_run = had_run;
  settings.on_phase = [&lock, &observer](std::string_view phase) {
    lock.note(phase);
    observer.phase(phase);
  };
  settings.on_turn = [&observer] { observer.poll(); };
  settings.threads = options.machine.worker_threads();
  settings.grace = std::chrono::milliseconds(static_cast<std::int64_t>(options.grace_seconds * 1000));
  return settings;
}

/// Whom nobody serves any more, as far as they have not heard so.
class Leaving final : public SessionListener {
 public:
  explicit Leaving(std::uint32_t clients) { roster_.expect({0, clients}); }
  const Roster& roster() const { return roster_; }

  void joined(ConnectionId, const Hello&) override {}
  void arrived(ConnectionId, Message&, std::span<const std::uint8_t>, Bytes&) override {}
  void lost(ConnectionId, ClientRange, const std::string&) override {}
  void held(ClientRange clients) override { roster_.excuse(clients); }

 private:
  Roster roster_;
};

Goodbye over() { return {"the run is over", Farewell::kOver}; }

/// Whoever has lost its line just now, or is away because it was not needed, would find nobody when it comes back, and
/// go on looking. Who has been away for longer would have come back.
void linger_for_the_missing(Sessions& sessions, const Roster& roster, Observer& observer) {
  const auto missing = [&] { return roster.missing(Clock::now() - kLingerForTheMissing); };
  if (missing() == 0) return;
  const auto end = roster.missing_until(kLingerForTheMissing);
  tell(
      fmt::format("clients that may not have heard that the run is over: {}; waiting for them, {} s at most; "
                  "Ctrl-C ends it",
                  missing(), std::chrono::ceil<std::chrono::seconds>(end - Clock::now()).count()));
  for (; missing() > 0 && Clock::now() < end && !interrupted(); observer.poll()) sessions.poll(kPollTurn);
}

/// The run was finished before, by a process that may have been killed before all its clients had heard of it.
void say_it_was_over(Sessions& sessions, Doorway& doorway, std::uint32_t clients, Observer& observer) {
  Leaving leaving(clients);
  doorway.hand_on_to(leaving);
  sessions.hold(over());
  observer.phase("over");
  linger_for_the_missing(sessions, leaving.roster(), observer);
  sessions.stop(over(), kFarewell);
}

std::string describe(const Scenario& scenario, const FederationState& state) {
  const Scenario::Federation& federation = scenario.federation;
  const std::optional<Asynchrony> asynchrony = aggregations().make(federation.aggregation);
  const std::string at_work =
      asynchrony ? fmt::format("{} of them at work at any time, {} updates", asynchrony->concurrency, federation.cohort)
                 : fmt::format("{} of them", federation.cohort);
  return fmt::format("{} clients, {} a round, {} of {} rounds are done", scenario.data.clients, at_work, state.version,
                     federation.rounds);
}

/// Writes down what came of it; whoever is here, or was lately, hears that it is over.
void say_it_is_over(Sessions& sessions, const FederationServer& server, const RunRecorder& recorder,
                    Observer& observer) {
  sessions.dismiss(over());
  fmt::print("{}", recorder.result_text());
  std::fflush(stdout);
  if (recorder.abandoned() > 0) tell(recorder.abandoned_text(server.state()));
  // A line that is dead shows when nobody has taken the Goodbye.
  for (const auto end = Clock::now() + kFarewell; sessions.open() > 0 && Clock::now() < end; observer.poll())
    sessions.poll(kPollTurn);
  linger_for_the_missing(sessions, server.roster(), observer);
  sessions.stop(over(), kFarewell);
}

/// What was not taken, where there was something.
void tell_of_refusals(const Sessions& sessions, const FederationServer& server) {
  if (sessions.turned_away() + sessions.broke_rules() + sessions.too_slow() + server.refused_answers() == 0) return;
  tell(
      fmt::format("connections that ended before they had joined: {}, that broke the rules: {}, that were too slow: "
                  "{}; answers refused: {}",
                  sessions.turned_away(), sessions.broke_rules(), sessions.too_slow(), server.refused_answers()));
}

}  // namespace

int serve(const ServerOptions& options) {
  options.machine.apply();
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  const ResolvedScenario resolved = resolve_file(options.scenario, options.settings, data);
  const Scenario& scenario = resolved.scenario;
  for (const std::string& note : resolved.notes) tell(note);
  const RunDirectory directory(options.state.empty() ? "runs/" + scenario.name : options.state);
  const bool had_run = directory.holds_run();
  const bool resume = had_run && !options.force;
  StartingPoint start = find_starting_point(directory, scenario, WhoTrains::kClients, resume, options.force);
  for (const std::string& note : start.notes) tell(note);

  return_large_buffers();
  catch_interrupts("anybit-server: ending; a second Ctrl-C quits at once");
  Observer observer(options, scenario);
  Doorway doorway;
  Sessions sessions(session_settings(options, scenario), doorway);
  tell(fmt::format("listening on {}:{}", parse_listen(options.listen).address, sessions.port()));
  observer.listens(sessions);
  if (options.insecure) tell("without encryption: anybody on the way can read and change what is sent (--insecure)");
  if (start.finished) {
    say_it_was_over(sessions, doorway, scenario.data.clients, observer);
    return 0;
  }
  sessions.hold(Goodbye{"recovering", Farewell::kComeAgain, static_cast<std::uint32_t>(kRecovered.count())});
  std::future<Loaded> loading = std::async(std::launch::async, [&] { return load(scenario, data, directory, start); });
  for (; loading.wait_for(std::chrono::seconds(0)) != std::future_status::ready; observer.poll())
    sessions.poll(kPollTurn);
  Loaded loaded = loading.get();
  sessions.limit_bodies(largest_update(loaded.federation));
  tell(describe(scenario, loaded.state));

  const RunStanding standing = standing_after(loaded.state.version, loaded.federation.plan().rounds,
                                              start.checkpoint ? read_file(directory.metrics()) : "");
  Progress progress(stderr, standing);
  RunRecorder recorder(loaded.federation, directory, start.kernels, loaded.state, options.machine.worker_threads());
  const ServerSettings settings = server_settings(options, had_run, *start.lock, observer);
  const double time = last_time(directory);
  FederationServer server(loaded.federation, settings, sessions, recorder, progress, std::move(loaded.state), time);
  doorway.hand_on_to(server);
  observer.serves(server, standing);
  sessions.hold(std::nullopt);
  const bool done = server.run(interrupted);
  progress.end();
  tell_of_refusals(sessions, server);
  if (done) {
    say_it_is_over(sessions, server, recorder, observer);
    return 0;
  }
  sessions.stop({"the server stops", Farewell::kComeAgain, static_cast<std::uint32_t>(kStartedAgain.count())},
                kFarewell);
  if (server.gave_up()) {
    tell(recorder.given_up_text(server.state()) + "; the same command tries again");
    return kFailed;
  }
  tell(fmt::format("interrupted after round {}; the same command goes on from there", recorder.saved_round()));
  return kInterrupted;
}

}  // namespace anybit
