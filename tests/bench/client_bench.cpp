// bench_client SCENARIO: samples per second of one thread that plays the scenario's clients one after the other, by the
// very function of a run: Trainer::train(), with everything that it does. Prints one JSON object.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "nn/kernel_set.h"
#include "nn/parallel.h"
#include "scenarios/listing.h"
#include "server/resolve.h"
#include "sim/client_player.h"

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

/// The rate of each play within about so many seconds, ascending. The first play does not count: what a thread makes
/// only once is no part of the rate.
std::vector<double> play_for(const Federation& federation, double seconds) {
  ClientPlayer player(federation);
  const FederatedData& data = *federation.data;
  player.play(0);
  std::vector<double> rates;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::uint32_t client = 0;
  do {
    client = (client + 1) % data.clients;
    const double samples = static_cast<double>(data.examples(client)) * federation.training.epochs;
    rates.push_back(samples / player.play(client));
  } while (Clock::now() < end);
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
