#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "program/exit_code.h"
#include "program/interrupt.h"
#include "program/version.h"
#include "program/waiting_threads.h"
#include "server/server_options.h"

namespace {

int run_server(int count, char** arguments) {
  CLI::App program("anybit: serves a federation to clients on a network", "anybit-server");
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("anybit-server: {} (--help lists what there is)\n", error.what());
  });
  program.set_version_flag("--version", fmt::format("{} ({})", anybit::program_version(), anybit::program_commit()));
  anybit::ServerOptions options;
  options.add_to(program);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : anybit::kFailed;
  }
  return anybit::serve(options);
}

}  // namespace

int main(int count, char** arguments) {
  anybit::let_waiting_threads_sleep(arguments);
  anybit::ignore_closed_pipes();
  return anybit::exit_code_of("anybit-server", [&] { return run_server(count, arguments); });
}
