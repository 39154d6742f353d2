#include "sim/progress.h"

#include <gtest/gtest.h>

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
