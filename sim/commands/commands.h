#pragma once

#include <functional>

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
void add_timeline_command(CLI::App& program, Chosen& chosen);
void add_replay_command(CLI::App& program, Chosen& chosen);
void add_profile_command(CLI::App& program, Chosen& chosen);

}  // namespace anybit
