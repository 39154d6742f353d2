#pragma once

#include <string>

namespace CLI {
class App;
}

namespace anybit {

/// The options that say with what a program computes, and where its data is.
struct MachineOptions {
  int threads = 0;  // 0: as many as the machine offers
  std::string isa = "best";
  std::string data_directory;

  void add_to(CLI::App& command);
  /// The same for what works on one thread by its nature: all but --threads.
  void add_without_threads_to(CLI::App& command);
  /// Pins the instruction set; call before anything is made.
  void apply() const;
  int worker_threads() const;
};

}  // namespace anybit
