#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/federation_server.h"
#include "server/metrics_page.h"
#include "server/metrics_text.h"
#include "server/record/progress.h"
#include "server/server_options.h"
#include "server/sessions.h"

namespace anybit {

/// Tells whoever watches the server how it is (--metrics), from its start to its end. Runs on the server's thread.
class Observer {
 public:
  /// Opens the page, where one was asked for. Throws CommandError where it would be open to others than this
  /// machine and --insecure was not typed, std::runtime_error where its address cannot be had.
  Observer(const ServerOptions& options, const Scenario& scenario);

  /// What the server is at now: one of kServerPhases, good for as long as the program runs.
  void phase(std::string_view phase) { metrics_.phase = phase; }
  /// Clients can connect: says where the page is.
  void listens(const Sessions& sessions);
  /// The run is loaded, and stood so before.
  void serves(const FederationServer& server, const RunStanding& before);
  /// Answers who has asked; never waits.
  void poll() {
    if (page_) page_->poll();
  }

 private:
  std::string text() const;

  const Sessions* sessions_ = nullptr;
  const FederationServer* server_ = nullptr;
  ServerMetrics metrics_;  // what is known without the server
  std::string address_;    // of the page, as a URL has it
  std::optional<MetricsPage> page_;
};

}  // namespace anybit
