#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "scenarios/options.h"
#include "scenarios/scenario.h"
#include "sim/commands/commands.h"
#include "sim/interrupt.h"
#include "sim/tell.h"
#include "sim/version.h"

namespace {

constexpr int kFailed = 1;

/// Runs the command; whatever goes wrong is told on standard error, once.
int run_told(const anybit::Chosen& chosen) {
  try {
    return chosen();
  } catch (const anybit::ScenarioErrors& mistakes) {
    anybit::tell(mistakes.what());
  } catch (const anybit::ScenarioError& mistake) {
    anybit::tell(mistake.what());
  } catch (const std::bad_alloc&) {
    anybit::tell("anybit-sim: out of memory; `anybit-sim check` says how much a scenario needs");
  } catch (const std::exception& error) {
    anybit::tell(fmt::format("anybit-sim: {}", error.what()));
  }
  return kFailed;
}

/// A full disk must not pass for success.
int written(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const std::string reason = errno == 0 ? "" : fmt::format(": {}", std::strerror(errno));
  anybit::tell("anybit-sim: cannot write the output" + reason);
  return kFailed;
}

}  // namespace

int main(int count, char** arguments) {
  anybit::ignore_closed_pipes();
  CLI::App program("anybit: federated training of networks that run well at any bit width", "anybit-sim");
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("anybit-sim: {} (--help lists what there is)\n", error.what());
  });
  program.set_version_flag("--version", fmt::format("{} ({})", anybit::program_version(), anybit::program_commit()));
  anybit::Chosen chosen;
  anybit::add_run_command(program, chosen);
  anybit::add_check_command(program, chosen);
  anybit::add_list_command(program, chosen);
  anybit::add_evaluate_command(program, chosen);
  anybit::add_plot_command(program, chosen);
  anybit::add_replay_command(program, chosen);
  anybit::add_profile_command(program, chosen);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return written(program.exit(error) == 0 ? 0 : kFailed);
  }
  if (!chosen) {
    anybit::tell("anybit-sim: a command is missing (--help lists them)");
    return kFailed;
  }
  return written(run_told(chosen));
}
