#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nn/kernel_set.h"
#include "scenarios/scenario.h"
#include "server/federation_server.h"
#include "server/resolve.h"
#include "tests/wire/raw_socket.h"

namespace anybit {

/// Twenty writers and a logistic regression: as little as a federation can be.
inline const char* const kServedScenario = R"(name = "served"
seed = 1
[data]
set = "glyphs"
clients = 20
examples = 20
partition = { name = "writer" }
[model]
name = "logistic"
[training]
batch = 10
method = { name = "fedavg" }
[federation]
rounds = 2
cohort = 3
[evaluate]
every = 0
weights = [32]
)";

inline Federation served_scenario(const std::vector<std::string>& settings) {
  std::vector<Override> overrides;
  for (const std::string& setting : settings) overrides.push_back(parse_override(setting));
  return make_federation(resolve_scenario(parse_scenario(kServedScenario, "served.toml", overrides), {}).scenario, {});
}

/// A folder that is gone with the test.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "anybit_served_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

/// A FederationServer on loopback with a run directory of its own. run() has a thread for it; what a test gives it to
/// be called (settings(), ask) is called by that thread, `ask` by those of an evaluation too.
class ServedFederation {
  /// Sessions are there before their listener.
  struct Door final : SessionListener {
    SessionListener* behind = nullptr;
    void joined(ConnectionId connection, const Hello& hello) override { behind->joined(connection, hello); }
    void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
                 Bytes& storage) override {
      behind->arrived(connection, message, frame, storage);
    }
    void lost(ConnectionId connection, ClientRange clients, const std::string& reason) override {
      behind->lost(connection, clients, reason);
    }
    void held(ClientRange clients) override { behind->held(clients); }
  };
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Door door_;
  std::unique_ptr<std::FILE, Close> words_{std::tmpfile()};
  Progress progress_{words_.get(), {}};

 public:
  using Change = std::function<void(ServerSettings&)>;

  explicit ServedFederation(const std::vector<std::string>& settings, const Change& change = {},
                            const std::function<void(FederationState&)>& advance = {}, double last_time = 0)
      : federation(served_scenario(settings)), directory(folder.path / "run") {
    directory.create();
    FederationState state = federation.first_state();
    if (advance) advance(state);
    recorder = std::make_unique<RunRecorder>(federation, directory, kernel_set(), state, 1);
    SessionSettings session_settings;
    session_settings.clients = federation.scenario.data.clients;
    sessions = std::make_unique<Sessions>(session_settings, door_);
    ServerSettings server_settings;
    if (change) change(server_settings);
    server = std::make_unique<FederationServer>(federation, server_settings, *sessions, *recorder, progress_,
                                                std::move(state), last_time);
    door_.behind = server.get();
  }
  ~ServedFederation() { end(); }

  void start() {
    done_ = std::async(std::launch::async, [this] {
      thread_ = std::this_thread::get_id();
      return server->run([this] { return stop_ || (ask && ask(std::this_thread::get_id() == thread_)); });
    });
  }
  /// Waits until it has done all rounds, or given up, or `ask` has ended it.
  bool wait() {
    if (done_.wait_for(std::chrono::seconds(20)) == std::future_status::timeout) ADD_FAILURE() << "does not end";
    stop_ = true;
    return done_.get();
  }
  void end() {
    stop_ = true;
    if (done_.valid()) (void)done_.get();
  }

  std::uint16_t port() const { return sessions->port(); }
  /// All that it told people; for when it has ended.
  std::string told() const {
    std::rewind(words_.get());
    std::string text(100000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), words_.get()));
    return text;
  }
  std::string metrics() const { return read_file(directory.metrics()); }
  /// What stands in the log, once the recorder has written it.
  std::vector<LoggedEvent> events() {
    server.reset();
    recorder.reset();
    return read_event_log(directory.events().string());
  }

  TemporaryFolder folder;
  const Federation federation;
  const RunDirectory directory;
  std::unique_ptr<RunRecorder> recorder;
  std::unique_ptr<Sessions> sessions;
  std::unique_ptr<FederationServer> server;
  std::function<bool(bool by_server)> ask;  // whether to stop

 private:
  std::atomic<bool> stop_ = false;
  std::thread::id thread_;
  std::future<bool> done_;
};

/// A client by hand. It has said Hello; that it is welcomed is heard before anything else.
class ServedClient {
 public:
  ServedClient(const ServedFederation& served, const Hello& hello)
      : federation_(served.federation), socket_(served.port()) {
    send(hello);
  }
  ServedClient(const ServedFederation& served, std::uint32_t client)
      : ServedClient(served, Hello{.client = client, .kernel_set = kernel_set()}) {}

  void send(const Message& message) { socket_.send(encode_frame(message)); }
  void welcome() {
    if (!std::exchange(welcomed_, true)) receive<Welcome>();
  }
  /// The next message, which must be of this kind.
  template <class Kind>
  Kind receive() {
    welcome();
    const Message message = socket_.receive();
    if (const auto* offer = std::get_if<Offer>(&message)) digest_ = offer->digest;
    if (const auto* found = std::get_if<Kind>(&message)) return *found;
    ADD_FAILURE() << "another kind of message: " << message.index();
    return {};
  }
  /// Takes the task that is offered; its name.
  TaskId take_task() {
    const TaskId task = receive<Offer>().id;
    send(Accept{task});
    EXPECT_EQ(receive<TaskMessage>().id, task);
    return task;
  }
  /// An update that changes nothing.
  void send_update(const TaskId& task, std::uint32_t examples = 10) {
    const FederationPlan plan = federation_.plan();
    Bytes delta;
    plan.uplink->encode(*plan.layout, plan.uploaded, FloatBuffer(plan.layout->size(), 0.0F), {}, delta);
    UpdateMessage update;
    update.id = task;
    update.layout = plan.layout->digest();
    update.digest = digest_;
    update.examples = examples;
    update.steps = 2;
    update.tensors.assign(plan.uploaded.begin(), plan.uploaded.end());
    update.loss = 1;
    update.delta = delta;
    send(update);
  }
  void answer() {
    const TaskId task = take_task();
    send_update(task);
    EXPECT_EQ(receive<Acknowledge>().id, task);
  }
  void close() { socket_.close(); }

 private:
  const Federation& federation_;
  RawSocket socket_;
  bool welcomed_ = false;
  std::uint32_t digest_ = 0;  // of the parameters that were offered last
};

/// Lets an evaluation stand still until the test has done what it wants.
struct StandingEvaluation {
  std::latch begun{1};
  std::latch may_end{1};
  std::once_flag once;
  bool ask(bool by_server) {
    if (by_server) return false;
    std::call_once(once, [this] { begun.count_down(); });
    may_end.wait();
    return false;
  }
};

}  // namespace anybit
