#include "sim/metrics.h"

#include <gtest/gtest.h>

#include <limits>

namespace anybit {
namespace {

RoundRecord record() {
  RoundRecord made;
  made.report.round = 12;
  made.report.clients = 9;
  made.report.failed = 1;
  made.report.train_loss = 0.5;
  made.seconds = 0.25;
  made.bytes_down = 100;
  made.bytes_up = 90;
  return made;
}

TEST(Metrics, WritesARoundAsOneLine) {
  EXPECT_EQ(metrics_line(record()),
            R"({"round": 12, "seconds": 0.250000, "bytes_down": 100, "bytes_up": 90, "train_loss": 0.5, "clients": 9, )"
            R"("failed": 1})");
}

TEST(Metrics, AddsAccuracyWhereItWasMeasured) {
  RoundRecord evaluated = record();
  evaluated.accuracy.resize(1);
  evaluated.accuracy[0].point.weights = 4;
  evaluated.accuracy[0].point.range = "mse";
  evaluated.accuracy[0].value = 0.875;
  EXPECT_TRUE(metrics_line(evaluated).ends_with(
      R"("accuracy": [{"weights": 4, "activations": 32, "range": "mse", "granularity": "tensor", "value": 0.875}]})"));
}

TEST(Metrics, SaysWhenARoundChangedNothing) {
  RoundRecord failed = record();
  failed.report.abandoned = true;
  failed.report.train_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(metrics_line(failed).ends_with(R"("failed": 1, "abandoned": true})"));
  EXPECT_NE(metrics_line(failed).find(R"("train_loss": null)"), std::string::npos);
}

TEST(Metrics, CountsTheRoundsThatChangedNothing) {
  RoundRecord failed = record();
  failed.report.abandoned = true;
  EXPECT_EQ(count_abandoned(""), 0U);
  EXPECT_EQ(count_abandoned(metrics_line(failed) + "\n" + metrics_line(record()) + "\n" + metrics_line(failed) + "\n"),
            2U);
}

TEST(Metrics, ReadsTheRoundOfItsOwnLinesOnly) {
  const std::string line = metrics_line(record());
  EXPECT_EQ(round_of_metrics_line(line), 12U);
  EXPECT_EQ(round_of_metrics_line(line.substr(0, line.size() - 1)), 0U);
  EXPECT_EQ(round_of_metrics_line("{}"), 0U);
  EXPECT_EQ(round_of_metrics_line(""), 0U);
}

}  // namespace
}  // namespace anybit
