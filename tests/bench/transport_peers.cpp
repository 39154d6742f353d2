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
#include "wire/tls_folder.h"
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

/// Where the server is, and where its clients' certificates lie; empty: plain.
struct Where {
  std::uint16_t port = 0;
  std::string certificates;

  std::unique_ptr<Connection> connection_of(std::uint32_t client) const {
    std::optional<TlsSettings> tls;
    if (!certificates.empty())
      tls = tls_folder(certificates + "/client-" + std::to_string(client), TlsContext::Side::kClient);
    return std::make_unique<Connection>(FrameLimits{}, tls);
  }
};

/// "" or why the client has not joined.
std::string join(Connection& connection, const Where& where, std::uint32_t client, Welcome& welcome) {
  std::string reason = connection.connect("127.0.0.1", where.port, kPatience);
  return reason.empty() ? connection.greet({.client = client, .kernel_set = kernel_set()}, welcome, kPatience) : reason;
}

/// Plays one client to the end of the run. "" or what went wrong.
std::string answer_tasks(const Where& where, std::uint32_t client, std::vector<Clock::time_point>& tasks) {
  const std::unique_ptr<Connection> open = where.connection_of(client);
  Connection& connection = *open;
  Welcome welcome;
  if (std::string reason = join(connection, where, client, welcome); !reason.empty()) return reason;
  CannedUpdate update(welcome.scenario);
  Message message;
  Bytes frame;
  while (true) {
    if (std::string reason = connection.receive(message, kPatience); !reason.empty()) return reason;
    frame.clear();
    if (std::holds_alternative<Goodbye>(message)) return "";
    if (const auto* offer = std::get_if<Offer>(&message)) {
      update.message.digest = offer->digest;
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

int answer(const Where& where, std::uint32_t clients) {
  std::vector<std::thread> threads;
  std::vector<std::string> failures(clients);
  std::vector<std::vector<Clock::time_point>> tasks(clients);
  for (std::uint32_t client = 0; client < clients; ++client)
    threads.emplace_back([&, client] { failures[client] = answer_tasks(where, client, tasks[client]); });
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

/// Joins in plain, by one descriptor a client.
void join_plain(const Where& where, std::uint32_t client, std::vector<RawSocket>& peers) {
  RawSocket& peer = peers.emplace_back(where.port);
  peer.send(encode_frame(Hello{.client = client, .kernel_set = kernel_set()}));
  if (!std::holds_alternative<Welcome>(peer.receive())) throw std::runtime_error("a client was not welcomed");
}

void join_encrypted(const Where& where, std::uint32_t client, std::vector<std::unique_ptr<Connection>>& peers) {
  Welcome welcome;
  const std::string reason = join(*peers.emplace_back(where.connection_of(client)), where, client, welcome);
  if (!reason.empty()) throw std::runtime_error(reason);
}

int idle(const Where& where, std::uint32_t clients) {
  std::vector<RawSocket> plain;
  std::vector<std::unique_ptr<Connection>> encrypted;
  std::vector<double> joins;
  for (std::uint32_t client = 0; client < clients; ++client) {
    const Clock::time_point begin = Clock::now();
    where.certificates.empty() ? join_plain(where, client, plain) : join_encrypted(where, client, encrypted);
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
  std::string mode;
  anybit::Where where;
  std::uint32_t clients = 10;
  program.add_option("mode", mode)->required()->check(CLI::IsMember({"answer", "idle"}));
  program.add_option("--port", where.port)->required();
  program.add_option("--tls", where.certificates, "Folder with a folder client-K for each client");
  program.add_option("--clients", clients);
  CLI11_PARSE(program, count, arguments);
  try {
    return mode == "answer" ? anybit::answer(where, clients) : anybit::idle(where, clients);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_peers: {}\n", error.what());
    return 1;
  }
}
