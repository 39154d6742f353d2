#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "program/machine_options.h"
#include "server/federation_server.h"

namespace anybit {

/// What a user tells anybit-server.
struct ServerOptions {
  std::string scenario;
  std::vector<std::string> settings;  // key.path=value
  std::string listen = "127.0.0.1:7700";
  std::string state;  // the run directory; empty: runs/<name>
  bool force = false;
  std::string tls;  // the folder of certificates; empty: plain
  bool insecure = false;
  double grace_seconds = 300;
  double heartbeat_seconds = 5;
  std::string metrics;  // where they are told; empty: nowhere
  MachineOptions machine;

  void add_to(CLI::App& program);
};

struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool is_loopback = false;
};

/// Reads ADDRESS:PORT, with an IPv6 address in brackets. CommandError, which names the option, for anything else.
ListenAddress parse_listen(const std::string& text, const std::string& option = "--listen");

/// Serves the federation to its end. Returns the exit code.
int serve(const ServerOptions& options);

}  // namespace anybit
