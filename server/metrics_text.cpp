#include "server/metrics_text.h"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <utility>

namespace anybit {
namespace {

struct Label {
  std::string_view name;
  std::string value;
};
using Labels = std::initializer_list<Label>;

std::string escaped(std::string_view value) {
  std::string text;
  for (const char letter : value) {
    if (letter == '\\' || letter == '"') text += '\\';
    if (letter == '\n') {
      text += "\\n";
    } else {
      text += letter;
    }
  }
  return text;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}
std::string number(std::uint64_t value) { return fmt::format("{}", value); }

/// Writes the series of a page one after the other.
class Page {
 public:
  /// Begins a series of this name; samples follow.
  Page& gauge(std::string_view name, std::string_view help) { return begin(name, "gauge", help); }
  Page& counter(std::string_view name, std::string_view help) { return begin(name, "counter", help); }

  template <class Number>
  Page& sample(Number value, Labels labels = {}) {
    std::string list;
    for (const Label& label : labels) {
      if (label.value.empty()) continue;
      list += fmt::format(R"({}{}="{}")", list.empty() ? "" : ",", label.name, escaped(label.value));
    }
    text_ += fmt::format("{}{} {}\n", name_, list.empty() ? "" : "{" + list + "}", number(value));
    return *this;
  }

  std::string take() { return std::move(text_); }

 private:
  Page& begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
    return *this;
  }

  std::string text_;
  std::string_view name_;
};

void write_process(const ServerMetrics& metrics, Page& page) {
  page.gauge("anybit_build_info", "What the server was built from.")
      .sample(std::uint64_t{1}, {{"version", metrics.version}, {"commit", metrics.commit}});
  page.gauge("process_start_time_seconds", "When the server started, in seconds since 1970.")
      .sample(metrics.start_time);
  if (metrics.resident_bytes > 0)
    page.gauge("process_resident_memory_bytes", "Memory of the server that is resident.")
        .sample(metrics.resident_bytes);
  page.gauge("anybit_phase", "1 for what the server is at, 0 for the rest.");
  for (const std::string_view phase : kServerPhases)
    page.sample(std::uint64_t{phase == metrics.phase}, {{"phase", std::string(phase)}});
}

void write_rounds(const ServerMetrics& metrics, Page& page) {
  page.gauge("anybit_round", "Rounds that are over, abandoned ones too.").sample(std::uint64_t{metrics.round});
  page.gauge("anybit_version", "Versions of the model made so far.").sample(std::uint64_t{metrics.made});
  page.gauge("anybit_rounds_planned", "Versions that the scenario asks for.")
      .sample(std::uint64_t{metrics.rounds_planned});
  page.counter("anybit_rounds_abandoned_total",
               "Rounds of the run that made no version: too few updates, or an asynchronous run gave up.")
      .sample(std::uint64_t{metrics.abandoned});
  if (std::isfinite(metrics.round_seconds))
    page.gauge("anybit_round_seconds", "How long the last round took, without evaluation.")
        .sample(metrics.round_seconds);
  if (std::isfinite(metrics.train_loss))
    page.gauge("anybit_train_loss", "Mean cross-entropy of the clients' training in the last round, in nats.")
        .sample(metrics.train_loss);
  if (std::isfinite(metrics.staleness))
    page.gauge("anybit_staleness_versions", "Versions that the last version's updates were behind.")
        .sample(metrics.staleness, {{"of", "mean"}})
        .sample(std::uint64_t{metrics.most_stale}, {{"of", "maximum"}});
  if (metrics.accuracy.empty()) return;
  page.gauge("anybit_accuracy_version", "The version that was evaluated last.")
      .sample(std::uint64_t{metrics.accuracy_version});
  page.gauge("anybit_accuracy_ratio", "Share of the test examples that are right, by width in bits; 32 is float.");
  const auto width = [](int bits) { return bits == 0 ? std::string() : fmt::format("{}", bits); };
  for (const auto& [point, value] : metrics.accuracy)
    page.sample(value, {{"weights", width(point.weights)},
                        {"activations", width(point.activations)},
                        {"range", point.range},
                        {"granularity", point.granularity},
                        {"first", width(point.first)},
                        {"last", width(point.last)}});
}

void write_clients(const ServerMetrics& metrics, Page& page) {
  page.gauge("anybit_clients", "Clients that the scenario has.").sample(std::uint64_t{metrics.clients});
  page.gauge("anybit_clients_here", "Clients that are connected and welcomed.").sample(metrics.clients_here);
  page.gauge("anybit_clients_sent_away", "Clients that were not needed, and come again when they were told to.")
      .sample(std::uint64_t{metrics.sent_away});
  page.gauge("anybit_round_clients", "Clients that have a task, at work or away.")
      .sample(std::uint64_t{metrics.at_work}, {{"state", "at_work"}})
      .sample(std::uint64_t{metrics.away}, {{"state", "away"}});
  page.gauge("anybit_tasks_in_flight", "Tasks that wait for their answers.")
      .sample(std::uint64_t{metrics.at_work + metrics.away});
  const ServerCounts& counts = metrics.counts;
  page.counter("anybit_updates_total", "Updates that arrived since the server started.")
      .sample(counts.accepted, {{"outcome", "accepted"}})
      .sample(counts.doubles, {{"outcome", "double"}})
      .sample(counts.refused, {{"outcome", "refused"}})
      .sample(counts.late, {{"outcome", "late"}});
  page.counter("anybit_tasks_released_total",
               "Tasks called off since the server started: the round over, overdue, of too old a version, or the run "
               "gave up.")
      .sample(counts.released);
  page.counter("anybit_tasks_lost_total",
               "Tasks whose clients, since the server started, were away too long, did not answer the offer, declined "
               "or claimed too many examples.")
      .sample(counts.lost);
  page.counter("anybit_sent_bytes_total", "Frames to clients since the server started.").sample(counts.bytes_down);
  page.counter("anybit_received_bytes_total", "Frames from clients about tasks since the server started.")
      .sample(counts.bytes_up);
}

void write_connections(const ServerMetrics& metrics, Page& page) {
  page.gauge("anybit_connections_open", "Connections, welcomed or not.").sample(std::uint64_t{metrics.connections});
  page.counter("anybit_connections_turned_away_total", "Connections that ended before they were welcomed.")
      .sample(metrics.turned_away);
  page.counter("anybit_connections_ended_total", "Connections, welcomed or not, that ended for what their peers did.")
      .sample(metrics.broke_rules, {{"reason", "broke_rules"}})
      .sample(metrics.too_slow, {{"reason", "too_slow"}});
  page.counter("anybit_connections_refused_total", "Connections that ended for what TLS or a certificate says.");
  for (int failure = 1; failure <= static_cast<int>(TlsFailure::kToldBroken); ++failure) {
    const auto found = metrics.refusals.find(static_cast<TlsFailure>(failure));
    page.sample(found == metrics.refusals.end() ? std::uint64_t{0} : found->second,
                {{"reason", std::string(label_of(static_cast<TlsFailure>(failure)))}});
  }
  page.gauge("anybit_uploads_being_read", "Large updates that are being read now.")
      .sample(std::uint64_t{metrics.uploads_read});
}

}  // namespace

std::string metrics_text(const ServerMetrics& metrics) {
  Page page;
  write_process(metrics, page);
  write_rounds(metrics, page);
  write_clients(metrics, page);
  write_connections(metrics, page);
  return page.take();
}

std::string_view label_of(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::kPlainPeer: return "plain_peer";
    case TlsFailure::kTlsPeer: return "tls_peer";
    case TlsFailure::kOldVersion: return "old_version";
    case TlsFailure::kNoCertificate: return "no_certificate";
    case TlsFailure::kOtherAuthority: return "other_authority";
    case TlsFailure::kExpired: return "expired";
    case TlsFailure::kNotYetValid: return "not_yet_valid";
    case TlsFailure::kWrongHost: return "wrong_host";
    case TlsFailure::kNotAllowed: return "not_allowed";
    case TlsFailure::kWrongPurpose: return "wrong_purpose";
    case TlsFailure::kBadCertificate: return "bad_certificate";
    case TlsFailure::kOtherClient: return "other_client";
    case TlsFailure::kBroken: return "broken";
    case TlsFailure::kToldNoCertificate: return "told_no_certificate";
    case TlsFailure::kToldOtherAuthority: return "told_other_authority";
    case TlsFailure::kToldExpired: return "told_expired";
    case TlsFailure::kToldWrongHost: return "told_wrong_host";
    case TlsFailure::kToldNotAllowed: return "told_not_allowed";
    case TlsFailure::kToldWrongPurpose: return "told_wrong_purpose";
    case TlsFailure::kToldBadCertificate: return "told_bad_certificate";
    case TlsFailure::kToldBroken: return "told_broken";
  }
  return "unknown";
}

}  // namespace anybit
