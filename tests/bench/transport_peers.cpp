// bench_peers: clients that do not train, for scripts/bench_transport. `answer` plays N clients, a thread each, which
// answer every task with an update of the right size at once; `idle` opens N connections that join and stay until
// standard input ends. Prints one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "client/connection.h"
#include "data/datasets/dataset.h"
#include "nn/kernel_set.h"
#include "tests/wire/raw_socket.h"
#include "wire/training_plan.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{60000};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// An update of every tensor that may be sent, of one example and no change; what it views lives as long as it.
struct CannedUpdate {
  explicit CannedUpdate(const std::string& scenario_text) {
    const Scenario scenario = parse_scenario_within(scenario_text, "the server's scenario");
    const Dataset set = load_set(scenario.data.set, {scenario.seed, {}});
    const TrainingPlan plan = make_plan(scenario, set.shape, set.classes);
    const FloatBuffer zeros(plan.layout->size());
    plan.uplink->encode(*plan.layout, plan.uploaded, zeros, {}, delta);
    message.layout = plan.layout->digest();
    message.examples = 1;
    message.steps = 1;
    message.loss = 1;
    message.tensors.assign(plan.uploaded.begin(), plan.uploaded.end());
    message.delta = delta;
  }

  Bytes delta;
  UpdateMessage message;
};

/// Plays one client to the end of the run. "" or what went wrong.
std::string answer_tasks(const std::string& host, std::uint16_t port, std::uint32_t client,
                         std::vector<Clock::time_point>& tasks) {
  Connection connection;
  if (std::string reason = connection.connect(host, port, kPatience); !reason.empty()) return reason;
  Welcome welcome;
  if (std::string reason = connection.greet({.client = client, .kernel_set = kernel_set()}, welcome, kPatience);
      !reason.empty())
    return reason;
  CannedUpdate update(welcome.scenario);
  Message message;
  Bytes frame;
  while (true) {
    if (std::string reason = connection.receive(message, kPatience); !reason.empty()) return reason;
    frame.clear();
    if (std::holds_alternative<Goodbye>(message)) return "";
    if (const auto* offer = std::get_if<Offer>(&message)) {
      append_frame(Message(Accept{offer->id}), frame);
    } else if (const auto* task = std::get_if<TaskMessage>(&message)) {
      update.message.id = task->id;
      append_frame(update.message, frame);
      tasks.push_back(Clock::now());
    } else {
      continue;
    }
    if (std::string reason = connection.send(frame, kPatience); !reason.empty()) return reason;
  }
}

/// Seconds from one task of a client to its next, which is a whole round with its commit; sorted. The first is left
/// out: it waits for everybody to join.
std::vector<double> rounds_between(const std::vector<Clock::time_point>& tasks) {
  std::vector<double> rounds;
  for (std::size_t i = 2; i < tasks.size(); ++i)
    rounds.push_back(std::chrono::duration<double>(tasks[i] - tasks[i - 1]).count());
  if (rounds.empty()) rounds.push_back(0);
  std::ranges::sort(rounds);
  return rounds;
}

int answer(const std::string& host, std::uint16_t port, std::uint32_t clients) {
  std::vector<std::thread> threads;
  std::vector<std::string> failures(clients);
  std::vector<std::vector<Clock::time_point>> tasks(clients);
  for (std::uint32_t client = 0; client < clients; ++client)
    threads.emplace_back([&, client] { failures[client] = answer_tasks(host, port, client, tasks[client]); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures)
    if (!failure.empty()) {
      fmt::print(stderr, "bench_peers: {}\n", failure);
      return 1;
    }
  const std::vector<double> rounds = rounds_between(tasks[0]);
  fmt::print(
      "{{\"clients\": {}, \"rounds\": {}, \"seconds_per_round\": {:.6f}, \"least\": {:.6f}, \"most\": {:.6f}}}\n",
      clients, tasks[0].size(), rounds[rounds.size() / 2], rounds.front(), rounds.back());
  return 0;
}

int idle(std::uint16_t port, std::uint32_t clients) {
  std::vector<RawSocket> peers;
  std::vector<double> joins;
  peers.reserve(clients);
  for (std::uint32_t client = 0; client < clients; ++client) {
    const Clock::time_point begin = Clock::now();
    RawSocket& peer = peers.emplace_back(port);
    peer.send(encode_frame(Hello{.client = client, .kernel_set = kernel_set()}));
    if (!std::holds_alternative<Welcome>(peer.receive())) {
      fmt::print(stderr, "bench_peers: client {} was not welcomed\n", client);
      return 1;
    }
    joins.push_back(seconds_since(begin));
  }
  std::ranges::sort(joins);
  fmt::print("{{\"clients\": {}, \"join_seconds_median\": {:.6f}, \"join_seconds_most\": {:.6f}}}\n", clients,
             joins[joins.size() / 2], joins.back());
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  return 0;
}

}  // namespace
}  // namespace anybit

int main(int count, char** arguments) {
  CLI::App program("Clients that do not train", "bench_peers");
  std::string mode, host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint32_t clients = 10;
  program.add_option("mode", mode)->required()->check(CLI::IsMember({"answer", "idle"}));
  program.add_option("--port", port)->required();
  program.add_option("--clients", clients);
  CLI11_PARSE(program, count, arguments);
  try {
    return mode == "answer" ? anybit::answer(host, port, clients) : anybit::idle(port, clients);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_peers: {}\n", error.what());
    return 1;
  }
}
