#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "server/record/output_file.h"

namespace anybit {

/// The files of one run:
///   scenario.toml  provenance.json  metrics.jsonl  events.log  tasks.csv  checkpoints/checkpoint-NNNNNN.ckpt
///   model.ckpt  lock  traces/ (copies of what says when devices are there)
/// Nothing is held open here; the name says where, this class what is there.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path scenario() const { return path_ / "scenario.toml"; }
  std::filesystem::path provenance() const { return path_ / "provenance.json"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path events() const { return path_ / "events.log"; }
  std::filesystem::path tasks() const { return path_ / "tasks.csv"; }
  std::filesystem::path model() const { return path_ / "model.ckpt"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path traces() const { return path_ / "traces"; }
  std::filesystem::path lock() const { return path_ / "lock"; }

  /// Whether a run was begun here. A scenario alone is none: it can be the user's own.
  bool holds_run() const;
  /// Whether it is a folder of other things.
  bool is_foreign() const;
  bool is_finished() const { return std::filesystem::exists(model()); }

  /// Makes the folders.
  void create() const;
  /// Removes the files of a run, the pictures of `plot` among them, and no others.
  void clear() const;
  /// Removes the temporary files that a killed process left behind.
  void remove_leftovers() const;
  /// Cuts metrics.jsonl, events.log and tasks.csv, where there is one, back to what belongs to the first `rounds`
  /// rounds, abandoned ones counted: later lines, and half a line at the end, are of work that is done again. RunError
  /// where one of the first two does not hold all of these rounds; both are then as before.
  void cut_back(std::uint32_t rounds) const;

 private:
  std::filesystem::path path_;
};

/// Keeps other processes out of a run directory while it lives; the system frees it with the process, however it ends.
/// RunError where another process has it.
class RunLock {
 public:
  explicit RunLock(const RunDirectory& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Leaves a word in the file, for whoever looks at a process that runs, or was killed: what it is at.
  void note(std::string_view what) const;

 private:
  int file_;
};

}  // namespace anybit
