#include "program/machine_options.h"

#include <CLI/CLI.hpp>

#include "nn/kernel_set.h"
#include "nn/parallel.h"

namespace anybit {

void MachineOptions::add_to(CLI::App& command) {
  command.add_option("--threads", threads, "Worker threads (default: all of the machine); results do not depend on it")
      ->check(CLI::Range(1, 1024));
  add_without_threads_to(command);
}

void MachineOptions::add_without_threads_to(CLI::App& command) {
  command.add_option("--isa", isa, "Kernels to compute with: portable, avx2, avx512 or best")
      ->check(CLI::IsMember({"portable", "avx2", "avx512", "best"}));
  command
      .add_option("--data-dir", data_directory,
                  "Where data sets lie, each in a folder of its name (default: $ANYBIT_DATA, then data-cache/)")
      ->check(CLI::ExistingDirectory);
}

void MachineOptions::apply() const { pin_instruction_set(isa); }

int MachineOptions::worker_threads() const { return threads > 0 ? threads : hardware_threads(); }

}  // namespace anybit
