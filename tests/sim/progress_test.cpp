#include "sim/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace anybit {
namespace {

/// What a progress with these records prints to a file, which is no terminal.
std::string printed(const std::vector<RoundRecord>& records, std::uint32_t rounds) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(file, 0, rounds);
    for (const RoundRecord& record : records) progress.round(record);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

RoundRecord record(std::uint32_t round) {
  RoundRecord made;
  made.report.round = round;
  made.bytes_down = 1500;
  return made;
}

TEST(Progress, PrintsPlainLinesWhereThereIsNoTerminal) {
  RoundRecord evaluated = record(3);
  evaluated.accuracy.resize(1);
  evaluated.accuracy[0].point.weights = 4;
  evaluated.accuracy[0].value = 0.5;
  const std::string text = printed({record(1), record(2), evaluated, record(4)}, 10);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);  // the first round, and the one that was evaluated
  EXPECT_NE(text.find("round 1/10"), std::string::npos);
  EXPECT_NE(text.find("W4 50.0%  down 4.5 kB"), std::string::npos);
}

Standing standing() {
  Standing made;
  made.round = 20;
  made.rounds = 60;
  made.seconds_left = 65;
  for (const int activations : {8, 32})
    for (const int weights : {32, 4})
      for (const char* range : {"minmax", "mse"}) {
        Accuracy accuracy;
        accuracy.point.weights = weights;
        accuracy.point.activations = activations;
        accuracy.point.range = range;
        accuracy.value = weights == 4 ? 0.5 : 0.75;
        made.accuracy.push_back(accuracy);
      }
  made.bytes_down = 1500;
  made.bytes_up = 20;
  made.loss = 0.25;
  return made;
}

TEST(ProgressLine, HasWhatMattersFirst) {
  EXPECT_EQ(progress_line(standing(), 200),
            "round 20/60  left 1:05  W32 75.0%  W4 50.0%  down 1.5 kB  up 20 B  loss 0.2500");
}

TEST(ProgressLine, LeavesOutWhatDoesNotFit) {
  const std::string whole = progress_line(standing(), 200);
  EXPECT_EQ(progress_line(standing(), whole.size()), whole);
  EXPECT_EQ(progress_line(standing(), whole.size() - 1),
            "round 20/60  left 1:05  W32 75.0%  W4 50.0%  down 1.5 kB  up 20 B");
  EXPECT_EQ(progress_line(standing(), 43), "round 20/60  left 1:05  W32 75.0%  W4 50.0%");
  EXPECT_EQ(progress_line(standing(), 22), "round 20/60  left 1:05");
  EXPECT_EQ(progress_line(standing(), 5), "");
}

TEST(ProgressLine, HasNoLossOfNobody) {
  Standing made = standing();
  made.accuracy.clear();
  made.loss = std::nan("");
  EXPECT_EQ(progress_line(made, 200), "round 20/60  left 1:05  down 1.5 kB  up 20 B  loss -");
}

TEST(Progress, ARoundWhoseClientsAllFailedHasNoLoss) {
  RoundRecord failed = record(1);
  EXPECT_TRUE(printed({failed}, 1).ends_with("loss -\n"));
  failed.report.clients = 1;
  EXPECT_TRUE(printed({failed}, 1).ends_with("loss 0.0000\n"));
}

TEST(Progress, TellsFailures) {
  RoundRecord failed = record(1);
  failed.failures = {"client 7 is lost: no examples"};
  EXPECT_TRUE(printed({failed}, 2).starts_with("round 1: client 7 is lost: no examples\n"));
}

TEST(Progress, WritesDurationsAndBytes) {
  EXPECT_EQ(duration_text(5), "0:05");
  EXPECT_EQ(duration_text(3725), "1:02:05");
  EXPECT_EQ(bytes_text(12), "12 B");
  EXPECT_EQ(bytes_text(1234567), "1.2 MB");
}

}  // namespace
}  // namespace anybit
