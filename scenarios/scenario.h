#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/options.h"
#include "scenarios/round_policy.h"

namespace anybit {

/// A class of devices. Shares of all classes sum to one; without any class every client is alike. What is 0 takes no
/// time or energy, or has no limit.
struct FleetClass {
  std::string name;
  double share = 1.0;
  std::vector<int> widths;    // widths it can run, 32 = float
  double compute = 0;         // FLOP/s of a device in the middle
  double compute_spread = 0;  // sigma of a log-normal factor of median 1, one draw for each client
  double memory = 0;          // bytes
  double down = 0;            // bytes/s
  double up = 0;              // bytes/s
  double link_spread = 0;     // sigma of such a factor of each, one draw for each task
  double latency = 0;         // seconds, one way
  double energy_flop = 0;     // J/FLOP, all that a device takes while it computes
  double energy_byte = 0;     // J/byte, sent or received, beyond idling
  double idle_power = 0;      // W, while it has a task and does not compute
  double drop_out = 0;        // probability that a task is never answered
  Part availability = {"always", Options("fleet.class.availability", {"name"}), {"default", 0}};
  SourcePosition where;
};

/// The points at which a model is tested: the product of the lists. 32 bits = float.
struct EvaluationGrid {
  std::vector<int> weights = {32};
  std::vector<int> activations = {32};
  std::vector<std::string> range = {"minmax"};        // of the weights
  std::vector<std::string> granularity = {"tensor"};  // of the weights
  int first = 0;                                      // width of the first layer's weight and input; 0: as the others
  int last = 0;                                       // of the last layer's
  SourcePosition where;
  SourcePosition range_where;
};

/// Everything a run needs, read once and never changed. Parts are names with options that the folders above check.
struct Scenario {
  std::string name;  // names a folder: not empty, no '.' at the start, no '/' or control character
  std::uint64_t seed = 1;

  struct Data {
    Part set;  // name = data.set; options = the keys of [data] that belong to the set, e.g. classes
    std::uint32_t clients = 0;
    Part partition;
    std::int64_t proxy = 0;
    std::int64_t validation = 0;
    SourcePosition where;
  } data;

  Part model;  // [model]: name and the model's own keys

  struct Training {
    Part method;
    Part objective;
    Part optimizer;
    int epochs = 1;
    int batch = 32;
    SourcePosition batch_where;
  } training;

  struct Federation {
    int rounds = 1;
    int cohort = 1;
    RoundPolicy policy;
    Part aggregation;
    Part weighting;
    Part strategy;
    Part uplink;
    Part downlink;
    std::string transport = "memory";
    SourcePosition where;
    SourcePosition deadline_where;
  } federation;

  std::vector<FleetClass> fleet;

  struct Evaluate {
    int every = 0;                      // rounds; 0: never during the run
    EvaluationGrid grid;                // small and often
    EvaluationGrid final_grid;          // equals `grid` where there is no [evaluate.final]
    bool has_final = false;             // without [evaluate.final] the last round is tested on `grid`
    std::uint32_t class_clients = 100;  // of each class of the fleet, tested on their own data at the end; 0: none

    /// Whether any round is tested on `grid`.
    bool uses_grid() const { return every > 0 || !has_final; }
  } evaluate;

  struct Checkpoint {
    double seconds = 5;  // of work between two; 0: every round
    int keep = 2;
  } checkpoint;

  /// In bytes; of the simulator.
  struct Limits {
    std::int64_t client_state = 16'000'000'000;  // the most that the states of all clients may come to
    std::int64_t client_memory = 256'000'000;    // as much of them stays in memory, the rest goes to a file
    SourcePosition client_state_where;
  } limits;
};

/// "key.path=value" from the command line. The value is TOML; what is not TOML is a string.
struct Override {
  std::string path;
  std::string value;
};

/// Splits "key.path=value". Throws ScenarioError where there is no "=" or no path.
Override parse_override(const std::string& argument);

/// Reads a scenario file and applies overrides. Throws ScenarioErrors with *every* mistake found (unknown keys with the
/// nearest known one, wrong types, values out of range). Names and options of parts are not known here: the folders
/// above check them. Setting a part's `name` by override marks the part's written options as belonging to the old row
/// (drop_foreign_options in table.h). A missing `name` is the file's without its ending.
Scenario read_scenario(const std::string& path, const std::vector<Override>& overrides);
/// The same for the file of `mistakes`, for who has mistakes of their own: those found here are added, and what could
/// be read is returned, fallbacks for the rest. A part whose name is missing has an empty one. Throws, with all that
/// was added, only where there is no TOML to read.
Scenario read_scenario(const std::vector<Override>& overrides, Mistakes& mistakes);
Scenario parse_scenario(const std::string& text, const std::string& file, const std::vector<Override>& overrides);
/// The same of a text within a file of another kind, a checkpoint: the file is named without a line.
Scenario parse_scenario_within(const std::string& text, const std::string& file);

/// The whole scenario as TOML, every default written out, a key a line, in a fixed order: reading it gives the same
/// scenario. Parts should be resolved first.
std::string write_scenario(const Scenario& scenario);

/// A part's options as they stand there: TOML, a key a line.
std::string options_text(const Options& options);

/// The part of write_scenario() that decides results (DESIGN D11): without name, evaluate, checkpoint, limits and
/// transport.
std::string result_bearing_text(const Scenario& scenario);

}  // namespace anybit
