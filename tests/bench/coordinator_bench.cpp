// bench_coordinator: microseconds that the coordinator takes for a client's event, and for drawing a cohort, on a model
// of four parameters, so that nearly all of it is its own. Prints a line a measurement:
//   bench_coordinator [--clients N] [--cohort N] [--rounds N]

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>

#include "server/synchronous_rounds.h"
#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::uint32_t clients = 1'000'000;
  std::uint32_t cohort = 1000;
  std::uint32_t rounds = 50;
};

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// Answers every task in the order in which it was given; the mean time of an event in each round, or in as many
/// versions as take `least_events`, ascending. Every `lost_of`-th client is lost, 0: none.
std::vector<double> drive(const FederationPlan& plan, const SmallFederation& federation, std::uint32_t lost_of,
                          std::uint32_t least_events = 1) {
  Coordinator coordinator(plan, federation.state());
  std::vector<Action> actions;
  std::deque<SendTask> tasks;
  std::vector<double> times;
  Clock::duration spent{};
  std::uint32_t events = 0, count = 0;
  bool over = false;
  const auto handle = [&](const Event& event) {
    actions.clear();
    const Clock::time_point begin = Clock::now();
    coordinator.handle(event, static_cast<double>(count), actions);
    spent += Clock::now() - begin;
    ++events;
    for (const Action& action : actions) {
      if (const auto* send = std::get_if<SendTask>(&action)) tasks.push_back(*send);
      if (const auto* released = std::get_if<Release>(&action))
        std::erase_if(tasks, [&](const SendTask& task) { return task.client == released->task.client; });
      over = over || std::holds_alternative<EndFederation>(action);
      if (!std::holds_alternative<ConcludeRound>(action) || events < least_events) continue;
      times.push_back(microseconds(spent) / events);
      spent = {};
      events = 0;
    }
  };
  handle(Started{});
  while (!over) {
    const SendTask task = tasks.front();
    tasks.pop_front();
    if (lost_of > 0 && ++count % lost_of == 0) {
      handle(ClientLost{task.client, "battery"});
      continue;
    }
    UpdateMessage update = federation.answer(task.task);
    update.digest = task.digest;
    handle(UpdateArrived{task.client, &update});
  }
  std::sort(times.begin(), times.end());
  return times;
}

void print(const char* what, const std::vector<double>& times) {
  fmt::print("{:<44}{:8.3f} us, {:8.3f} to {:8.3f}\n", what, times[times.size() / 2], times.front(), times.back());
}

/// Of drawing a cohort where so many of a hundred clients can be reached.
std::vector<double> draw(FederationPlan plan, std::uint32_t percent, std::uint32_t rounds) {
  plan.reachability.reachable = [percent](std::uint32_t client, double) { return client % 100 < percent; };
  std::vector<double> times;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const Clock::time_point begin = Clock::now();
    const Selection selection = select_clients(plan, round, 0);
    times.push_back(microseconds(Clock::now() - begin) / static_cast<double>(selection.selected().size()));
  }
  std::sort(times.begin(), times.end());
  return times;
}

/// Of a task on a day on which clients come one by one, until as many as are wanted have one.
std::vector<double> drive_morning(FederationPlan plan, std::uint32_t concurrency) {
  constexpr double kDay = 86400;
  const auto comes = [&plan](std::uint32_t client) { return kDay * (client + 0.5) / plan.clients; };
  plan.reachability = {[&](std::uint32_t client, double now) { return now >= comes(client); },
                       [&](std::uint32_t client, double now) { return std::max(now, comes(client)); },
                       [&](std::uint32_t client, double now) {
                         return now < comes(client) ? comes(client) : std::numeric_limits<double>::infinity();
                       }};
  plan.asynchrony =
      Asynchrony{.concurrency = concurrency, .max_staleness = 20, .discount = polynomial_discount(0.5), .mixing = {}};
  plan.cohort = 1;
  Coordinator coordinator(plan, {.global = Parameters(plan.layout), .strategy_state = {}});
  std::vector<Action> actions;
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  coordinator.handle(Started{}, 0, actions);
  std::uint32_t given = 0;
  while (given < concurrency) {
    double wake = 0;
    for (const Action& action : actions) {
      given += std::holds_alternative<SendTask>(action) ? 1 : 0;
      if (const auto* at = std::get_if<WakeAt>(&action)) wake = at->time;
    }
    actions.clear();
    coordinator.handle(TimePassed{}, wake, actions);
  }
  times.push_back(microseconds(Clock::now() - begin) / given);
  return times;
}

void measure(const BenchOptions& options) {
  SmallFederation federation(options.clients, options.cohort, options.rounds);
  FederationPlan plan = federation.plan;
  print("event of a synchronous round", drive(plan, federation, 0));
  plan.policy = {.over_selection = 1.3, .deadline = 1e9, .replace_until = 1};
  print("over-selected by 1.3, each tenth lost", drive(plan, federation, 10));
  plan = federation.plan;
  plan.asynchrony = Asynchrony{
      .concurrency = options.cohort, .max_staleness = 20, .discount = polynomial_discount(0.5), .mixing = {}};
  plan.cohort = std::max(1U, options.cohort / 10);
  plan.rounds = 10 * options.rounds;
  print("asynchronous, a tenth of the cohort a version", drive(plan, federation, 0));
  plan.cohort = 1;
  plan.rounds = options.cohort * options.rounds;
  plan.asynchrony->max_staleness = 2 * options.cohort;
  print("asynchronous, each update a version", drive(plan, federation, 0, options.cohort));
  plan.asynchrony->mixing = 0.6;
  print("the same, mixed (FedAsync)", drive(plan, federation, 0, options.cohort));
  print("a morning on which they come one by one, a task", drive_morning(federation.plan, options.cohort));
  for (const std::uint32_t percent : {100U, 50U, 10U, 1U})
    print(fmt::format("a client drawn where {} % can be reached", percent).c_str(), draw(federation.plan, percent, 20));
}

}  // namespace
}  // namespace anybit

int main(int count, char** arguments) {
  anybit::BenchOptions options;
  CLI::App program("Times of the coordinator", "bench_coordinator");
  program.add_option("--clients", options.clients, "Registered clients")->check(CLI::Range(1U, 1U << 31U));
  program.add_option("--cohort", options.cohort, "Clients of a round")->check(CLI::Range(1U, 1U << 20U));
  program.add_option("--rounds", options.rounds, "Rounds")->check(CLI::Range(1U, 1U << 20U));
  CLI11_PARSE(program, count, arguments);
  anybit::measure(options);
}
