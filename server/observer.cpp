#include "server/observer.h"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

#include "program/exit_code.h"
#include "program/resident_memory.h"
#include "program/tell.h"
#include "program/version.h"

namespace anybit {
namespace {

ListenAddress page_address(const ServerOptions& options) {
  ListenAddress address = parse_listen(options.metrics, "--metrics");
  if (!address.is_loopback && !options.insecure)
    throw CommandError(
        fmt::format("--metrics {}: the page is plain HTTP, which beyond this machine anybody on the way can read; take "
                    "127.0.0.1:{} and let a proxy or ssh carry it, or type --insecure to do without",
                    options.metrics, address.port));
  return address;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Observer::Observer(const ServerOptions& options, const Scenario& scenario) {
  metrics_.version = program_version();
  metrics_.commit = program_commit();
  metrics_.start_time = seconds_since_1970();
  metrics_.phase = kServerPhases[0];
  metrics_.clients = scenario.data.clients;
  metrics_.rounds_planned = scenario.federation.rounds;
  metrics_.round_seconds = std::numeric_limits<double>::quiet_NaN();
  metrics_.train_loss = std::numeric_limits<double>::quiet_NaN();
  metrics_.staleness = std::numeric_limits<double>::quiet_NaN();
  if (options.metrics.empty()) return;
  const ListenAddress address = page_address(options);
  MetricsPageSettings settings;
  settings.address = address.address;
  settings.port = address.port;
  page_.emplace(settings, [this] { return text(); });
  const bool is_long = address.address.find(':') != std::string::npos;
  address_ =
      fmt::format("http://{}:{}/metrics", is_long ? "[" + address.address + "]" : address.address, page_->port());
}

void Observer::listens(const Sessions& sessions) {
  sessions_ = &sessions;
  if (page_) tell("metrics at " + address_);
}

void Observer::serves(const FederationServer& server, const RunStanding& before) {
  server_ = &server;
  metrics_.accuracy = before.accuracy;
  metrics_.accuracy_version = before.accuracy_round;
}

std::string Observer::text() const {
  ServerMetrics metrics = metrics_;
  metrics.resident_bytes = resident_bytes_now();
  if (sessions_ != nullptr) {
    metrics.connections = sessions_->open();
    metrics.turned_away = sessions_->turned_away();
    metrics.broke_rules = sessions_->broke_rules();
    metrics.too_slow = sessions_->too_slow();
    metrics.refusals = sessions_->refusals();
  }
  if (server_ != nullptr) server_->measure(metrics);
  return metrics_text(metrics);
}

}  // namespace anybit
