#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/federated_data.h"
#include "data/fleet.h"
#include "scenarios/scenario.h"

namespace anybit {

/// Client k of the scenario's partition: "k/N", counted from 0. CommandError for anything else.
struct Shard {
  std::uint32_t client = 0;
  std::uint32_t clients = 1;
};
Shard parse_shard(const std::string& text);

/// Where a client's own examples lie: "FORMAT:FOLDER", e.g. "idx:/data/mine"; or "FOLDER", in the scenario's format.
/// CommandError for an unknown format.
struct DataPlace {
  std::string format;  // idx, cifar-10, or empty
  std::string folder;  // empty: none was named
};
DataPlace parse_data_place(const std::string& text);

/// CommandError where the files of the scenario's data set are of another format than the place is said to have.
void check_format(const Scenario& scenario, const DataPlace& place);

/// The examples of one client. They never leave it.
class LocalData {
 public:
  /// A client's part of the scenario's data set, which is looked for in these folders; `named`: for this set.
  LocalData(const Scenario& scenario, std::uint32_t client, const std::vector<std::string>& directories,
            bool named = false);
  /// All training examples of the folder, in the form of the scenario's data set.
  LocalData(const Scenario& scenario, const DataPlace& place);

  ExamplesView examples() const { return examples_; }
  const Normalization& normalization() const { return normalization_; }
  Shape shape() const { return shape_; }
  int classes() const { return classes_; }

 private:
  std::unique_ptr<const FederatedData> shards_;  // where this is one of them
  ExamplePool pool_;                             // what was drawn or read
  ExamplesView examples_;
  Normalization normalization_;
  Shape shape_;
  int classes_ = 0;
};

}  // namespace anybit
