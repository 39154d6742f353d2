#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/local_data.h"
#include "client/task_limits.h"
#include "wire/tls.h"

namespace anybit {

/// What a participant is told by its owner.
struct ParticipantSettings {
  std::string host;
  std::uint16_t port = 0;
  std::optional<Shard> shard;  // none: the examples are its own
  std::uint32_t client = 0;    // who it is, where the examples are its own
  DataPlace data;
  std::vector<std::string> data_directories;  // for a shard of which no place is named
  std::optional<TlsSettings> tls;             // none: plain
  std::vector<int> widths;                    // that the device can run; empty: as the scenario's fleet says
  TaskLimits limits;
  std::string state_folder = "client-state";  // where a method's state of this client is kept
  bool fresh_state = false;                   // a state that the server counts on and is lost begins at zeros
  std::chrono::milliseconds give_up{std::chrono::minutes(10)};  // without a word from the server
  int threads = 1;
};

}  // namespace anybit
