#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "client/client_options.h"
#include "program/exit_code.h"
#include "program/interrupt.h"
#include "program/version.h"

namespace {

int run_client(int count, char** arguments) {
  CLI::App program("anybit: takes part in a federation that a server runs", "anybit-client");
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("anybit-client: {} (--help lists what there is)\n", error.what());
  });
  program.set_version_flag("--version", fmt::format("{} ({})", anybit::program_version(), anybit::program_commit()));
  anybit::ClientOptions options;
  options.add_to(program);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : anybit::kFailed;
  }
  return anybit::take_part(options);
}

}  // namespace

int main(int count, char** arguments) {
  anybit::ignore_closed_pipes();
  return anybit::exit_code_of("anybit-client", [&] { return run_client(count, arguments); });
}
