#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/examples.h"
#include "scenarios/table.h"

namespace anybit {

/// A source without end: anybody may ask any writer for any example. Pure functions, so any thread may.
class Writers {
 public:
  virtual ~Writers() = default;

  /// How many examples a client that is one writer has.
  virtual std::uint32_t examples() const = 0;
  /// Draws examples first, first + 1, ... of a writer: labels.size() of them, pixels NHWC. Allocates nothing.
  virtual void draw(std::uint32_t writer, std::uint32_t first, std::span<std::uint8_t> pixels,
                    std::span<std::uint8_t> labels) const = 0;
};

/// A set of labelled images before anyone holds them.
struct Dataset {
  Shape shape;
  int classes = 0;
  Normalization normalization;
  std::shared_ptr<const Writers> writers;  // null where the set comes from files
  ExamplePool training;                    // from files; both empty where there are writers
  ExamplePool test;
  std::vector<std::string> checksums;  // "name crc32 size", one a file
};

/// What a set needs besides its own options.
struct DatasetSource {
  std::uint64_t seed = 1;
  const std::vector<std::string>& directories;  // files are looked for in DIR/<set>/
  bool training_only = false;                   // test files are not looked for, and Dataset::test is empty
  bool named = false;                           // DIR was named for this set: its files may lie in DIR itself, too
};

using DatasetTable = Table<Dataset, const DatasetSource&>;
/// Data sets by name. Makers throw ScenarioError for options and DataError for files.
const DatasetTable& datasets();

/// Makes a set. What is wrong with its files is a ScenarioError at the place where the scenario names the set.
Dataset load_set(const Part& set, const DatasetSource& source);

/// The index list 0, 1, ..., count - 1.
std::vector<std::uint32_t> all_indices(std::size_t count);

}  // namespace anybit
