#include "client/client_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "program/exit_code.h"
#include "program/host_port.h"
#include "program/interrupt.h"
#include "program/tell.h"
#include "quant/method.h"
#include "scenarios/byte_count.h"
#include "scenarios/comma_list.h"
#include "scenarios/width.h"
#include "wire/tls_folder.h"

namespace anybit {
namespace {

/// A certificate says which client this is; what else says so must agree.
void take_certificates_name(const ClientOptions& options, ParticipantSettings& settings) {
  const std::optional<std::uint32_t> client = client_of_certificate(settings.tls->certificate);
  if (!client)
    throw CommandError(
        fmt::format("{}: is not the certificate of a client; take a folder client-K that scripts/provision "
                    "made",
                    settings.tls->certificate));
  const auto require = [&](const char* option, std::int64_t said) {
    if (said != *client)
      throw CommandError(
          fmt::format("{} says client {}, the certificate in {} is of client {}", option, said, options.tls, *client));
  };
  if (settings.shard) require("--shard", settings.shard->client);
  if (options.client >= 0) require("--client", options.client);
  settings.client = *client;
}

/// A name that no method has would decline every task in silence.
void require_known(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    try {
      (void)methods().row({name, Options(), {}});
    } catch (const ScenarioError&) {
      std::vector<std::string> known;
      for (const RowInfo& row : methods().infos()) known.push_back(row.name);
      throw CommandError(fmt::format("--methods {}: there is no such method; there are {}", name, comma_list(known)));
    }
  }
}

ParticipantSettings settings_of(const ClientOptions& options) {
  const ServerAddress server = parse_connect(options.connect);
  if (!server.is_loopback && options.tls.empty() && !options.insecure)
    throw CommandError(
        fmt::format("--connect {}: beyond this machine the network is not to be trusted; give the folder "
                    "that scripts/provision made for this client (--tls client-K), or type --insecure to "
                    "do without",
                    options.connect));
  ParticipantSettings settings;
  if (!options.tls.empty()) settings.tls = tls_folder(options.tls, TlsContext::Side::kClient);
  settings.host = server.host;
  settings.port = server.port;
  if (!options.shard.empty()) {
    settings.shard = parse_shard(options.shard);
  } else if (options.client < 0 && !settings.tls) {
    throw CommandError("say who this is: --shard K/N, client K of the scenario's N, or --client K, with its own data");
  } else {
    if (options.data.empty())
      throw CommandError("there is no --shard, so say where the client's own examples lie: --data FORMAT:FOLDER");
    settings.client = static_cast<std::uint32_t>(std::max<std::int64_t>(options.client, 0));
  }
  if (settings.tls) take_certificates_name(options, settings);
  if (!options.data.empty()) settings.data = parse_data_place(options.data);
  settings.data_directories = data_directories(options.machine.data_directory);
  check_widths(options.widths);
  settings.widths = options.widths;
  require_known(options.methods);
  settings.limits = {parse_bytes(options.max_memory), options.max_seconds, options.methods};
  settings.state_folder = options.state;
  settings.fresh_state = options.fresh_state;
  settings.give_up = std::chrono::milliseconds(static_cast<std::int64_t>(options.give_up_seconds * 1000));
  settings.threads = options.machine.worker_threads();
  return settings;
}

}  // namespace

void ClientOptions::add_to(CLI::App& program) {
  program.add_option("--connect", connect, "HOST:PORT of the server")->required();
  program.add_option("--data", data,
                     "Where the examples lie: FORMAT:FOLDER with the format idx or cifar-10, or FOLDER alone");
  CLI::Option* whole =
      program.add_option("--client", client, "Which client this is, counted from 0; with its own data")
          ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 31));
  program.add_option("--shard", shard, "K/N: client K of the scenario's N, with the examples that it deals out to K")
      ->excludes(whole);
  program.add_option("--widths", widths, "Widths that the device can run, e.g. 8,4 (default: as the scenario says)")
      ->delimiter(',');
  program.add_option("--max-memory", max_memory, "Declines tasks that take more, e.g. 512MB (default: no limit)");
  program.add_option("--max-seconds", max_seconds, "Declines tasks that take longer (default: no limit)")
      ->check(CLI::NonNegativeNumber);
  program.add_option("--methods", methods, "Declines tasks of other training methods, e.g. fedavg,mqat (default: any)")
      ->delimiter(',');
  program.add_option("--give-up", give_up_seconds, "Seconds without a word from the server after which this ends")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  program.add_option("--state", state, "Folder for what a training method keeps at this client between its rounds")
      ->capture_default_str();
  program.add_flag("--fresh-state", fresh_state,
                   "Where that is lost: goes on with zeros in its place, instead of declining");
  CLI::Option* encrypted =
      program.add_option("--tls", tls, "Folder with this client's certificate and key, client-K (scripts/provision)")
          ->check(CLI::ExistingDirectory);
  program.add_flag("--insecure", insecure, "Plain TCP beyond this machine: anybody on the way can read and change it")
      ->excludes(encrypted);
  machine.add_to(program);
}

ServerAddress parse_connect(const std::string& text) {
  const auto refuse = [&](const std::string& why) -> CommandError {
    return CommandError(fmt::format("--connect {}: {}; write HOST:PORT, e.g. server.lan:7700", text, why));
  };
  ServerAddress server;
  if (const std::string flaw = split_host_port(text, server.host, server.port); !flaw.empty()) throw refuse(flaw);
  if (server.host.empty()) throw refuse("has no host");
  if (server.port == 0) throw refuse("the port must be 1 to 65535");
  server.is_loopback = is_loopback(server.host);
  return server;
}

void check_widths(const std::vector<int>& widths) {
  for (auto width = widths.begin(); width != widths.end(); ++width) {
    if (!is_width(*width))
      throw CommandError(fmt::format("--widths: {} is no width; there are 2 to 16, and 32", *width));
    if (std::find(widths.begin(), width, *width) != width)
      throw CommandError(fmt::format("--widths: {} is there twice", *width));
  }
}

double parse_bytes(const std::string& text) {
  if (text.empty()) return 0;
  if (const std::optional<double> bytes = parse_byte_count(text); bytes > 0) return *bytes;
  throw CommandError(
      fmt::format("--max-memory {}: write a number of bytes, or one of kB, MB, GB, MiB, GiB, as in 512MB", text));
}

int take_part(const ClientOptions& options) {
  options.machine.apply();
  Participant participant(settings_of(options), tell);
  catch_interrupts("anybit-client: ending; a second Ctrl-C quits at once");
  return participant.run(interrupted) ? 0 : kInterrupted;
}

}  // namespace anybit
