#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace anybit {

/// What came out of a run of a real program.
struct Outcome {
  int code = 0;  // exit code; 128 + signal where it was killed
  std::string out;
  std::string error;
  double peak_bytes = 0;  // resident at most
};

/// A process that is still running.
class Program {
 public:
  /// Starts anybit-sim with these arguments in `folder`, its output going to files there. `file_limit`: no file may
  /// grow beyond so many bytes; 0: no limit.
  /// `out`: where standard output goes instead, e.g. /dev/full.
  Program(const std::filesystem::path& folder, const std::vector<std::string>& arguments, std::size_t file_limit = 0,
          const std::string& out = "stdout.txt", const std::string& executable = ANYBIT_SIM);

  void signal(int number) const;
  /// Waits for its end. A program that takes longer than `limit` is killed and fails the test with what it wrote.
  Outcome wait(std::chrono::seconds limit = std::chrono::minutes(2));

  /// Waits until `there` is true. A program that ends before fails the test with what it wrote to standard error; so
  /// does one that takes longer than `limit`, and it is killed.
  void wait_until(const std::function<bool()>& there, std::chrono::seconds limit = std::chrono::minutes(1)) const;

 private:
  bool is_over() const;

  std::filesystem::path folder_;
  int pid_;
};

Outcome run_program(const std::filesystem::path& folder, const std::vector<std::string>& arguments);

/// Runs the words of a command that is not anybit-sim, looked for in PATH.
Outcome run_command(const std::filesystem::path& folder, const std::vector<std::string>& words);

/// The lines of standard error that are no progress.
std::vector<std::string> complaints(const Outcome& outcome);
/// Exit code 1 and one complaint, which holds all the words.
void expect_one_complaint(const Outcome& outcome, const std::vector<std::string>& words);

/// A folder of its own for each test, gone afterwards, with the tiny scenario as tiny.toml in it.
class ProgramFolder {
 public:
  ProgramFolder();
  ~ProgramFolder();

  const std::filesystem::path& path() const { return path_; }
  std::string read(const std::string& file) const;
  void write(const std::string& file, const std::string& text) const;
  bool has(const std::string& file) const { return std::filesystem::exists(path_ / file); }
  Outcome run(const std::vector<std::string>& arguments) const { return run_program(path_, arguments); }

 private:
  std::filesystem::path path_;
};

/// Instruction sets to test: "avx2", and "best" where that is another one.
std::vector<std::string> instruction_sets();

inline void expect_holds(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' not in: " << text;
}

}  // namespace anybit
