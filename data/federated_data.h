#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/data_error.h"
#include "data/examples.h"
#include "scenarios/scenario.h"

namespace anybit {

/// Who holds what. The examples of client k are a pure function of the scenario; proxy and validation shares belong to
/// the server, are taken from the training examples before they are dealt out, and no client has them (DESIGN D13).
class FederatedData {
 public:
  virtual ~FederatedData() = default;

  virtual std::uint32_t examples(std::uint32_t client) const = 0;
  /// Whether every client holds as many examples as the first: nobody needs to ask each of a hundred million.
  virtual bool all_alike() const { return false; }
  /// A client's examples. A pooled set returns a view into itself; a generated one draws into `scratch`, which the
  /// calling thread owns and re-uses.
  virtual ExamplesView client(std::uint32_t client, ExamplePool& scratch) const = 0;
  /// As many examples like a client's that nobody holds: further ones of its writer, drawn into `scratch`. Empty where
  /// no more can be drawn; then the test examples are all that nobody trains on.
  virtual ExamplesView unseen(std::uint32_t client, ExamplePool& scratch) const;

  Shape shape;
  int classes = 0;
  Normalization normalization;
  std::uint32_t clients = 0;
  ExamplesView proxy;
  ExamplesView validation;
  ExamplesView test;
  /// "name crc32 size", one a file; for generated data one, of its test examples. Other checksums, other data.
  std::vector<std::string> checksums;
};

/// Reads or generates the data of a scenario. Files are looked for in DIR/<set>/ for each DIR of `directories`, and in
/// DIR itself where somebody `named` it for this set. Throws ScenarioError or ScenarioErrors for settings that cannot
/// work and for what is wrong with the files.
std::unique_ptr<FederatedData> load_data(const Scenario& scenario, const std::vector<std::string>& directories,
                                         bool named = false);

/// `--data-dir` if given, then $ANYBIT_DATA, then data-cache/.
std::vector<std::string> data_directories(const std::string& from_command_line);

}  // namespace anybit
