#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/participant.h"
#include "tests/wire/raw_socket.h"
#include "wire/training_plan.h"

namespace anybit {

inline constexpr const char* kPlayedScenario = R"(name = "played"
seed = 1
[data]
set = "glyphs"
clients = 3
examples = 20
partition = { name = "writer" }
[model]
name = "mlp"
hidden = [16]
[training]
batch = 8
epochs = 1
method = { name = "mqat", widths = [8, 4], activations = 8 }
optimizer = { name = "sgd", rate = 0.1 }
[federation]
rounds = 4
cohort = 1
strategy = { name = "fedavg" }
uplink = { name = "float32" }
downlink = { name = "float32" }
)";

/// A participant in a thread, and the server that a test plays to it by hand. It is client 1 of 3.
class PlayedServer {
 public:
  using Change = std::function<void(ParticipantSettings&)>;

  explicit PlayedServer(const Change& change = {}, std::string scenario = kPlayedScenario)
      : scenario_text_(std::move(scenario)) {
    ParticipantSettings settings;
    settings.host = "127.0.0.1";
    settings.port = listener_.port();
    settings.shard = Shard{1, 3};
    settings.give_up = std::chrono::seconds(20);
    if (change) change(settings);
    thread_ = std::thread([this, settings] { run(settings); });
  }
  ~PlayedServer() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  /// The next connection, before its Hello is read.
  RawSocket accept() const { return listener_.accept(); }
  /// The next connection, welcomed.
  RawSocket welcome(std::uint32_t heartbeat_milliseconds = 0) {
    RawSocket peer = accept();
    hello_ = peer.receive();
    Welcome welcome;
    welcome.run = kRun;
    welcome.scenario = scenario_text_;
    welcome.heartbeat_milliseconds = heartbeat_milliseconds;
    peer.send(encode_frame(welcome));
    return peer;
  }
  bool was_greeted() const { return std::holds_alternative<Hello>(hello_); }

  /// "over", or what the participant threw; "stopped" where it goes on for ten seconds.
  std::string end() {
    for (int i = 0; i < 1000 && !ended_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stop_ = true;
    thread_.join();
    return end_;
  }
  /// Whether the participant has told its owner so.
  bool has_told(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(told_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  Offer offer(std::uint32_t round = 0, float value = 0.25F) {
    const TrainingPlan& plan = training_plan();
    parameters_.clear();
    plan.downlink->encode(*plan.layout, plan.broadcast, std::vector<float>(plan.layout->size(), value), {},
                          parameters_);
    Offer offer;
    offer.id = {kRun, round, 1};
    offer.layout = plan.layout->digest();
    offer.parameters = parameters_.size();
    offer.digest = crc32c(parameters_);
    offer.method = "mqat";
    offer.options = options_text(scenario().training.method.options);
    return offer;
  }
  /// The task of the last offer.
  TaskMessage task(const Offer& offer) const {
    TaskMessage task;
    task.id = offer.id;
    task.planned_rounds = 4;
    task.chunks = offer.chunks;
    task.counted = offer.counted;
    task.layout = offer.layout;
    task.parameters = parameters_;
    return task;
  }
  const TrainingPlan& training_plan() {
    if (!plan_) plan_.emplace(make_plan(scenario(), {28, 28, 1}, 10));
    return *plan_;
  }

  static constexpr std::uint64_t kRun = 77;

 private:
  Scenario scenario() const { return parse_scenario_within(scenario_text_, "test"); }

  void run(const ParticipantSettings& settings) {
    try {
      Participant participant(settings, [this](const std::string& line) {
        const std::lock_guard lock(mutex_);
        told_.push_back(line);
      });
      end_ = participant.run([this] { return stop_.load(); }) ? "over" : "stopped";
    } catch (const std::exception& failure) {
      end_ = failure.what();
    }
    ended_ = true;
  }

  RawListener listener_;
  std::string scenario_text_;
  std::optional<TrainingPlan> plan_;
  Bytes parameters_;
  Message hello_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::string end_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace anybit
