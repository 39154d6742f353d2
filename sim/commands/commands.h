#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace CLI {
class App;
}

namespace anybit {

/// What the chosen command does; set by its callback, run by main. Returns the exit code.
using Chosen = std::function<int()>;

// Each adds one command with its options to the program.
void add_run_command(CLI::App& program, Chosen& chosen);
void add_check_command(CLI::App& program, Chosen& chosen);
void add_list_command(CLI::App& program, Chosen& chosen);
void add_evaluate_command(CLI::App& program, Chosen& chosen);
void add_plot_command(CLI::App& program, Chosen& chosen);
void add_replay_command(CLI::App& program, Chosen& chosen);
void add_profile_command(CLI::App& program, Chosen& chosen);

/// Bad input on the command line; what() says what to do.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Options that several commands have.
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
