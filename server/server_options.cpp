#include "server/server_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "program/exit_code.h"
#include "program/host_port.h"

namespace anybit {

void ServerOptions::add_to(CLI::App& program) {
  program.add_option("scenario", scenario, "Scenario file (TOML): what every client trains")->required();
  program.add_option("--set", settings, "key.path=value: replaces a value of the scenario")->allow_extra_args(false);
  program.add_option("--listen", listen, "ADDRESS:PORT to wait for clients on; port 0: the system's choice")
      ->capture_default_str();
  program.add_option("--state", state,
                     "Run directory (default: runs/<name>); a run that is there and not finished goes on");
  program.add_flag("--force", force, "Overwrite the run that is in the run directory");
  program
      .add_option("--grace", grace_seconds,
                  "Seconds that a client with a task may be away before the round goes on without it")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  program.add_option(
      "--metrics", metrics,
      "ADDRESS:PORT, e.g. 127.0.0.1:9400, where http://ADDRESS:PORT/metrics tells how the server is, for "
      "Prometheus");
  CLI::Option* encrypted =
      program.add_option("--tls", tls, "Folder with the server's certificate, key and allow-list (scripts/provision)")
          ->check(CLI::ExistingDirectory);
  program
      .add_option("--heartbeat", heartbeat_seconds,
                  "Seconds after which the server and its clients let each other hear something; who is silent three "
                  "times as long is taken for lost")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  program.add_flag("--insecure", insecure, "Plain TCP beyond this machine: anybody on the way can read and change it")
      ->excludes(encrypted);
  machine.add_to(program);
}

ListenAddress parse_listen(const std::string& text, const std::string& option) {
  const auto refuse = [&](const std::string& why) -> CommandError {
    return CommandError(
        fmt::format("{} {}: {}; write ADDRESS:PORT, e.g. 0.0.0.0:7700 or [::1]:7700", option, text, why));
  };
  ListenAddress listen;
  if (const std::string flaw = split_host_port(text, listen.address, listen.port); !flaw.empty()) throw refuse(flaw);
  if (listen.address == "localhost") listen.address = "127.0.0.1";
  if (!is_address(listen.address)) throw refuse("the address is none of this machine's numbers");
  listen.is_loopback = is_loopback(listen.address);
  return listen;
}

}  // namespace anybit
