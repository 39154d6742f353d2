#include "server/metrics_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/server/exposition.h"

namespace anybit {
namespace {

using Mistakes = std::vector<std::string>;

ServerMetrics sample_metrics() {
  ServerMetrics metrics;
  metrics.version = "0.1.0";
  metrics.commit = "abc123";
  metrics.start_time = 1700000000.5;
  metrics.resident_bytes = 4096;
  metrics.phase = "training";
  metrics.clients = 20;
  metrics.rounds_planned = 4;
  metrics.round = 3;
  metrics.made = 2;
  metrics.abandoned = 1;
  metrics.clients_here = 19;
  metrics.sent_away = 11;
  metrics.at_work = 5;
  metrics.away = 2;
  metrics.counts = {7, 1, 2, 3, 1000, 900, 12, 13};
  metrics.round_seconds = 1.5;
  metrics.train_loss = 0.25;
  metrics.staleness = 1.75;
  metrics.most_stale = 6;
  Accuracy accuracy{{}, 0.75};
  accuracy.point.weights = 4;
  metrics.accuracy = {accuracy};
  metrics.accuracy_version = 2;
  metrics.connections = 21;
  metrics.turned_away = 6;
  metrics.broke_rules = 8;
  metrics.too_slow = 9;
  metrics.refusals = {{TlsFailure::kNotAllowed, 4}};
  metrics.uploads_read = 2;
  return metrics;
}

TEST(MetricsText, EachNumberHasItsSeries) {
  const Exposition page = read_exposition(metrics_text(sample_metrics()));
  EXPECT_EQ(page.mistakes, Mistakes{});
  EXPECT_EQ(page.value("anybit_build_info", R"({version="0.1.0",commit="abc123"})"), 1);
  EXPECT_EQ(page.value("process_start_time_seconds"), 1700000000.5);
  EXPECT_EQ(page.value("process_resident_memory_bytes"), 4096);
  EXPECT_EQ(page.value("anybit_phase", R"({phase="training"})"), 1);
  EXPECT_EQ(page.value("anybit_phase", R"({phase="selecting"})"), 0);
  EXPECT_EQ(page.value("anybit_clients"), 20);
  EXPECT_EQ(page.value("anybit_clients_here"), 19);
  EXPECT_EQ(page.value("anybit_clients_sent_away"), 11);
  EXPECT_EQ(page.value("anybit_rounds_planned"), 4);
  EXPECT_EQ(page.value("anybit_round"), 3);
  EXPECT_EQ(page.value("anybit_version"), 2);
  EXPECT_EQ(page.value("anybit_rounds_abandoned_total"), 1);
  EXPECT_EQ(page.value("anybit_round_clients", R"({state="at_work"})"), 5);
  EXPECT_EQ(page.value("anybit_round_clients", R"({state="away"})"), 2);
  EXPECT_EQ(page.value("anybit_updates_total", R"({outcome="accepted"})"), 7);
  EXPECT_EQ(page.value("anybit_updates_total", R"({outcome="double"})"), 1);
  EXPECT_EQ(page.value("anybit_updates_total", R"({outcome="refused"})"), 2);
  EXPECT_EQ(page.value("anybit_updates_total", R"({outcome="late"})"), 3);
  EXPECT_EQ(page.value("anybit_tasks_in_flight"), 7);
  EXPECT_EQ(page.value("anybit_tasks_released_total"), 12);
  EXPECT_EQ(page.value("anybit_tasks_lost_total"), 13);
  EXPECT_EQ(page.value("anybit_staleness_versions", R"({of="mean"})"), 1.75);
  EXPECT_EQ(page.value("anybit_staleness_versions", R"({of="maximum"})"), 6);
  EXPECT_EQ(page.value("anybit_sent_bytes_total"), 1000);
  EXPECT_EQ(page.value("anybit_received_bytes_total"), 900);
  EXPECT_EQ(page.value("anybit_round_seconds"), 1.5);
  EXPECT_EQ(page.value("anybit_train_loss"), 0.25);
  EXPECT_EQ(page.value("anybit_accuracy_version"), 2);
  EXPECT_EQ(
      page.value("anybit_accuracy_ratio", R"({weights="4",activations="32",range="minmax",granularity="tensor"})"),
      0.75);
  EXPECT_EQ(page.value("anybit_connections_open"), 21);
  EXPECT_EQ(page.value("anybit_connections_turned_away_total"), 6);
  EXPECT_EQ(page.value("anybit_connections_refused_total", R"({reason="not_allowed"})"), 4);
  EXPECT_EQ(page.value("anybit_connections_refused_total", R"({reason="expired"})"), 0);
  EXPECT_EQ(page.value("anybit_connections_ended_total", R"({reason="broke_rules"})"), 8);
  EXPECT_EQ(page.value("anybit_connections_ended_total", R"({reason="too_slow"})"), 9);
  EXPECT_EQ(page.value("anybit_uploads_being_read"), 2);
}

TEST(MetricsText, WhatIsNotKnownIsNotThere) {
  ServerMetrics metrics;
  metrics.phase = "recovering";
  metrics.round_seconds = metrics.train_loss = metrics.staleness = std::numeric_limits<double>::quiet_NaN();
  const Exposition page = read_exposition(metrics_text(metrics));
  EXPECT_EQ(page.mistakes, Mistakes{});
  for (const char* name : {"anybit_round_seconds", "anybit_train_loss", "anybit_staleness_versions",
                           "anybit_accuracy_ratio", "anybit_accuracy_version", "process_resident_memory_bytes"})
    EXPECT_FALSE(page.series.contains(name)) << name;
  EXPECT_EQ(page.value("anybit_build_info"), 1);
}

TEST(MetricsText, LabelsAreEscapedAndLargeNumbersWhole) {
  ServerMetrics metrics = sample_metrics();
  metrics.commit = "a\"b\\c\nd";
  metrics.counts.bytes_down = 12345678901234567ULL;
  metrics.accuracy[0].point.first = 8;
  const std::string text = metrics_text(metrics);
  const Exposition page = read_exposition(text);
  EXPECT_EQ(page.mistakes, Mistakes{});
  EXPECT_EQ(page.value("anybit_build_info", R"({version="0.1.0",commit="a\"b\\c\nd"})"), 1);
  EXPECT_NE(text.find("anybit_sent_bytes_total 12345678901234567\n"), std::string::npos);
  EXPECT_NE(text.find(R"(granularity="tensor",first="8"} 0.75)"), std::string::npos);
}

TEST(MetricsText, EveryRefusalHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  const int last = static_cast<int>(TlsFailure::kToldBroken);
  for (int failure = 1; failure <= last; ++failure) words.insert(label_of(static_cast<TlsFailure>(failure)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(last));
  EXPECT_FALSE(words.contains("unknown"));
}

// The reader of the tests must see what is wrong.
TEST(Exposition, RefusesWhatIsNotOfTheFormat) {
  const std::string good = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n";
  EXPECT_EQ(read_exposition(good).mistakes, Mistakes{});
  for (const char* bad :
       {"# HELP a A.\n# TYPE a counter\na 1\n", "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n",
        "# HELP a A.\na 1\n", "# TYPE a gauge\na 1\n", "a 1\n", "# HELP a A.\n# TYPE a gauge\n",
        "# HELP a A.\n# TYPE a gauge\na 1", "# HELP a A.\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n", "# HELP a A.\n# TYPE a gauge\na one\n",
        "# HELP a A.\n# TYPE a gauge\na 1e\n", "# HELP a A.\n# TYPE a gauge\na{b=c} 1\n",
        "# HELP a A.\n# TYPE a gauge\na{b=\"c\",b=\"d\"} 1\n", "# HELP a A.\n# TYPE a gauge\na{b=\"\"\"} 1\n",
        "# HELP a A.\n# TYPE a gauge\n\na 1\n", "# HELP a A.\n# TYPE a gauge\na 1 1700000000\n",
        "# HELP a_total A.\n# TYPE a_total counter\na_total -1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\na{b=\"c\"} 1\n"})
    EXPECT_NE(read_exposition(bad).mistakes, Mistakes{}) << bad;
}

}  // namespace
}  // namespace anybit
