#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/participant.h"
#include "program/machine_options.h"

namespace anybit {

/// What a user tells anybit-client.
struct ClientOptions {
  std::string connect;
  std::string data;
  std::string shard;
  std::int64_t client = -1;  // where there is no shard
  std::vector<int> widths;
  std::string max_memory;
  double max_seconds = 0;
  std::vector<std::string> methods;
  double give_up_seconds = 600;
  std::string state = "client-state";
  bool fresh_state = false;
  std::string tls;  // the folder of certificates; empty: plain
  bool insecure = false;
  MachineOptions machine;

  void add_to(CLI::App& program);
};

struct ServerAddress {
  std::string host;
  std::uint16_t port = 0;
  bool is_loopback = false;
};

/// Reads HOST:PORT, with an IPv6 address in brackets. CommandError for anything else.
ServerAddress parse_connect(const std::string& text);

/// CommandError where one of them is no width, or is there twice.
void check_widths(const std::vector<int>& widths);

/// Reads "512MB", "2GB", "1000000". CommandError for anything else.
double parse_bytes(const std::string& text);

/// Takes part to the end of the run. Returns the exit code.
int take_part(const ClientOptions& options);

}  // namespace anybit
