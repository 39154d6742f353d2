#include "server/record/metrics.h"

#include <gtest/gtest.h>

#include <limits>

namespace anybit {
namespace {

RoundRecord record() {
  RoundRecord made;
  made.report.round = made.report.version = 12;
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

TEST(Metrics, EndsWithTheClassesOfTheFleet) {
  RoundRecord last = record();
  last.accuracy.resize(1);
  last.classes = {{"phone", 0.7, 70, 8, 32, 0.9375, 0.875}, {"watch", 0.3, 0, 2, 2, {}, {}}};
  const std::string line = metrics_line(last);
  EXPECT_TRUE(line.ends_with(
      R"("value": 0}], "classes": [{"class": "phone", "weights": 8, "activations": 32, "clients": 70, "own": 0.9375, )"
      R"("unseen": 0.875}, {"class": "watch", "weights": 2, "activations": 2, "clients": 0, "own": null, )"
      R"("unseen": null}]})"))
      << line;
  EXPECT_EQ(read_earlier_rounds(line + "\n").accuracy.size(), 1U) << "they are no points of the grid";
}

TEST(Metrics, NamesTheWidthsOfTheFirstAndLastLayerWhereTheyAreSet) {
  Accuracy accuracy;
  accuracy.point.weights = 2;
  accuracy.point.last = 8;
  EXPECT_EQ(
      accuracies_json({accuracy}),
      R"([{"weights": 2, "activations": 32, "range": "minmax", "granularity": "tensor", "last": 8, "value": 0}])");
  accuracy.point.first = 6;
  EXPECT_NE(accuracies_json({accuracy}).find(R"(, "first": 6, "last": 8, )"), std::string::npos);
}

TEST(Metrics, AddsUpEarlierRounds) {
  RoundRecord evaluated = record();
  evaluated.accuracy.resize(2);
  evaluated.accuracy[0].value = 0.5;
  evaluated.accuracy[1].point = {4, 8, "mse", "channel", 8, 6, {}};
  evaluated.accuracy[1].value = 0.25;
  const EarlierRounds earlier = read_earlier_rounds(metrics_line(record()) + "\n" + metrics_line(evaluated) + "\n" +
                                                    metrics_line(record()) + "\n");
  EXPECT_EQ(earlier.bytes_down, 300U);
  EXPECT_EQ(earlier.bytes_up, 270U);
  EXPECT_EQ(accuracies_json(earlier.accuracy), accuracies_json(evaluated.accuracy));
  EXPECT_TRUE(read_earlier_rounds("").accuracy.empty());
}

TEST(Metrics, SaysWhenARoundChangedNothing) {
  RoundRecord failed = record();
  failed.report.abandoned = true;
  failed.report.train_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(metrics_line(failed).ends_with(R"("failed": 1, "abandoned": true})"));
  EXPECT_NE(metrics_line(failed).find(R"("train_loss": null)"), std::string::npos);
}

TEST(Metrics, NamesTheVersionWhereRoundsWereAbandonedBefore) {
  RoundRecord later = record();
  later.report.version = 7;
  later.report.released = 3;
  later.report.replaced = 1;
  EXPECT_TRUE(metrics_line(later).ends_with(R"("failed": 1, "released": 3, "replaced": 1, "version": 7})"));
  later.accuracy.resize(1);
  EXPECT_EQ(read_earlier_rounds(metrics_line(later) + "\n").accuracy_round, 7U);
  RoundRecord plain = record();
  plain.accuracy.resize(1);
  EXPECT_EQ(read_earlier_rounds(metrics_line(plain) + "\n").accuracy_round, 12U);
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
