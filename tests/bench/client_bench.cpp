// bench_client SCENARIO: samples per second of one thread that plays the scenario's clients one after the other, by the
// very function of a run: Trainer::train(), with everything that it does. Prints one JSON object.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/training.h"
#include "nn/kernel_set.h"
#include "nn/parallel.h"
#include "scenarios/listing.h"
#include "sim/federation.h"
#include "sim/resolve.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string scenario;
  std::vector<std::string> settings;
  std::string data_directory;
  std::string isa = "best";
  double seconds = 1;
};

/// One thread that plays client after client, each as in the run's first round.
class Player {
 public:
  explicit Player(const Federation& federation) : federation_(federation), trainer_(federation.training) {
    const TrainingPlan& plan = federation.training;
    auto encoded = std::make_shared<Bytes>();
    plan.downlink->encode(*plan.layout, plan.broadcast, federation.first_state().global.values, {}, *encoded);
    shared_ = make_cohort_task(plan, {0, {federation.run, 0, 0}, encoded});
    task_ = shared_->message;
  }

  /// Samples per second of playing the next client.
  double play() {
    const FederatedData& data = *federation_.data;
    const std::uint32_t client = task_.id.client;
    const ExamplesView examples = data.client(client, scratch_);
    const Clock::time_point begin = Clock::now();
    const std::string refusal =
        trainer_.train(task_, examples, data.normalization, federation_.fleet.widths(client), update_);
    const std::chrono::duration<double> took = Clock::now() - begin;
    if (!refusal.empty()) throw std::runtime_error(refusal);
    task_.id.client = (client + 1) % data.clients;
    return static_cast<double>(examples.size()) * federation_.training.epochs / took.count();
  }

 private:
  const Federation& federation_;
  Trainer trainer_;
  std::shared_ptr<const CohortTask> shared_;
  TaskMessage task_;  // of the client that is played
  ExamplePool scratch_;
  UpdateMessage update_;
};

/// The rate of each play within about so many seconds, ascending. The first play does not count: what a thread makes
/// only once is no part of the rate.
std::vector<double> play_for(const Federation& federation, double seconds) {
  Player player(federation);
  player.play();
  std::vector<double> rates;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  do rates.push_back(player.play());
  while (Clock::now() < end);
  std::sort(rates.begin(), rates.end());
  return rates;
}

void measure(const BenchOptions& options) {
  pin_instruction_set(options.isa);
  const std::vector<std::string> directories = data_directories(options.data_directory);
  const ResolvedScenario resolved = resolve_file(options.scenario, options.settings, directories);
  const Federation federation = make_federation(resolved.scenario, directories);
  std::vector<double> rates;
  parallel_for(1, 1, [&](std::size_t, int) { rates = play_for(federation, options.seconds); });
  fmt::print(
      "{{\"samples_per_second\": {:.6g}, \"slowest\": {:.6g}, \"fastest\": {:.6g}, \"plays\": {}, "
      "\"kernel_set\": {}}}\n",
      rates[rates.size() / 2], rates.front(), rates.back(), rates.size(), json_text(kernel_set()));
}

}  // namespace
}  // namespace anybit

int main(int count, char** arguments) {
  anybit::BenchOptions options;
  CLI::App program("Samples per second and thread of playing a scenario's clients, as JSON", "bench_client");
  program.add_option("scenario", options.scenario, "Scenario file (TOML)")->required();
  program.add_option("--set", options.settings, "key.path=value: replaces a value of the scenario")
      ->allow_extra_args(false);
  program.add_option("--data-dir", options.data_directory, "Where data sets lie")->check(CLI::ExistingDirectory);
  program.add_option("--isa", options.isa, "Kernels to compute with: portable, avx2, avx512 or best");
  program.add_option("--seconds", options.seconds, "How long clients are played, about")->check(CLI::NonNegativeNumber);
  CLI11_PARSE(program, count, arguments);
  try {
    anybit::measure(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_client: {}\n", error.what());
    return 1;
  }
  return 0;
}
