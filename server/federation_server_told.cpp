// What a FederationServer tells of itself: to who looks at the screen, and to who asks for its metrics.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/comma_list.h"
#include "server/federation_server.h"

namespace anybit {
namespace {

constexpr std::chrono::seconds kQuiet{2};
constexpr std::chrono::seconds kOncePer{1};
constexpr std::size_t kMostNamed = 10;
constexpr std::uint32_t kCrowd = 50;

}  // namespace

/// In a crowd not everybody is named.
void FederationServer::tell_of_clients(ClientRange clients, const std::string& what) {
  const std::uint32_t all = federation_.scenario.data.clients;
  if (all > kCrowd && Clock::now() - crowd_told_ < kOncePer) return;
  crowd_told_ = Clock::now();
  progress_.tell(fmt::format("{} {}; {} of {} are here", clients_text(clients), what, roster_.clients(), all));
}

void FederationServer::turned_away(const std::string& address, const std::string& reason) {
  if (Clock::now() - turned_away_told_ < kOncePer) return;  // whoever knocks all the time shall not fill the screen
  turned_away_told_ = Clock::now();
  progress_.tell(fmt::format("turned away {}: {} ({} so far)", address, reason, sessions_.turned_away()));
}

/// Never a silent wait: what the round lacks, and who has it.
void FederationServer::tell_who_is_awaited() {
  if (finished_ || Clock::now() - round_begin_ < kQuiet) return;
  std::vector<std::string> away, at_work;
  for (const auto& [client, delivery] : deliveries_) {
    std::vector<std::string>& list = delivery.phase == Phase::kAway ? away : at_work;
    if (list.size() < kMostNamed) list.push_back(std::to_string(client));
  }
  std::string text =
      fmt::format("round {}: {} of {} updates are here; waiting for {} clients", coordinator_.progress().round + 1,
                  updates_, federation_.scenario.federation.cohort, deliveries_.size());
  if (!at_work.empty()) text += "; at work: " + comma_list(at_work);
  if (!away.empty()) text += "; not here: " + comma_list(away);
  progress_.wait(text);
}

void FederationServer::tell_phase() {
  if (committing_) return;
  tell_phase(uploads_read_ > 0 ? "staging" : anybody_works_ ? "training" : "selecting");
}

void FederationServer::tell_phase(std::string_view phase) {
  if (std::exchange(phase_, phase) != phase) settings_.on_phase(phase);
}

void FederationServer::remember(RoundRecord record) {
  if (!record.accuracy.empty()) {
    accuracy_ = record.accuracy;
    accuracy_version_ = record.report.version;
  }
  last_ = std::move(record);
}

void FederationServer::measure(ServerMetrics& metrics) const {
  metrics.round = coordinator_.progress().round;
  metrics.made = coordinator_.progress().version;
  metrics.abandoned = recorder_.abandoned();
  metrics.clients_here = roster_.clients();
  metrics.sent_away = pace_.away();
  const auto is_away = [](const auto& delivery) { return delivery.second.phase == Phase::kAway; };
  metrics.away = static_cast<std::size_t>(std::ranges::count_if(deliveries_, is_away));
  metrics.at_work = deliveries_.size() - metrics.away;
  metrics.counts = counts_;
  metrics.counts.bytes_down += bytes_down_;
  metrics.counts.bytes_up += bytes_up_;
  metrics.uploads_read = uploads_read_;
  if (last_) {
    metrics.round_seconds = last_->seconds;
    metrics.train_loss = last_->report.train_loss;
    if (is_asynchronous_) metrics.staleness = last_->report.staleness;
    metrics.most_stale = last_->report.most_stale;
  }
  if (accuracy_.empty()) return;
  metrics.accuracy = accuracy_;
  metrics.accuracy_version = accuracy_version_;
}

}  // namespace anybit
