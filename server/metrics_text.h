#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/evaluator.h"
#include "wire/tls.h"

namespace anybit {

/// What a server counts since it started, beside what the run's folder holds.
struct ServerCounts {
  std::uint64_t accepted = 0;  // updates, each once
  std::uint64_t doubles = 0;   // sent again by clients that had not heard so
  std::uint64_t refused = 0;
  std::uint64_t late = 0;
  std::uint64_t bytes_down = 0;  // frames to clients
  std::uint64_t bytes_up = 0;    // and from them, those of tasks alone
  std::uint64_t released = 0;    // tasks that were called off
  std::uint64_t lost = 0;        // tasks whose clients were given up
};

/// All that anybit-server tells whoever watches it.
struct ServerMetrics {
  std::string version;  // of the program
  std::string commit;
  double start_time = 0;      // seconds since 1970
  double resident_bytes = 0;  // 0: unknown
  std::string_view phase;     // one of kServerPhases
  std::uint32_t clients = 0;  // that the scenario has
  std::uint32_t rounds_planned = 0;

  // Zeros until the last committed round is loaded.
  std::uint32_t round = 0;  // rounds that are over, abandoned ones too
  std::uint32_t made = 0;   // versions
  std::uint32_t abandoned = 0;
  std::uint64_t clients_here = 0;
  std::size_t sent_away = 0;  // clients that were not needed and are not back
  std::size_t at_work = 0;    // clients that have a task: here, and
  std::size_t away = 0;
  ServerCounts counts = {};

  // Of the last round that this process made; not finite: there is none.
  double round_seconds = 0;
  double train_loss = 0;
  double staleness = 0;  // mean, over its updates, of the versions they were behind; not finite: synchronous rounds
  std::uint32_t most_stale = 0;
  std::vector<Accuracy> accuracy = {};  // as last evaluated by this process, and
  std::uint32_t accuracy_version = 0;   // of which version

  std::size_t connections = 0;
  std::uint64_t turned_away = 0;
  std::uint64_t broke_rules = 0;  // joined or not
  std::uint64_t too_slow = 0;
  std::map<TlsFailure, std::uint64_t> refusals = {};
  std::size_t uploads_read = 0;  // large ones, now
};

/// What a server can be at.
inline constexpr std::string_view kServerPhases[] = {"recovering", "selecting", "training", "staging",
                                                     "committing", "committed", "over"};

/// The page in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats): # HELP, # TYPE, then the samples of each series.
std::string metrics_text(const ServerMetrics& metrics);

/// A word for a label, such as "not_allowed".
std::string_view label_of(TlsFailure failure);

}  // namespace anybit
