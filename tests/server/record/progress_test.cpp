#include "server/record/progress.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <thread>

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kUntilDue{150};  // longer than a line stands on a terminal

/// What a progress with these records prints to a file, which is no terminal.
std::string printed(const std::vector<RoundRecord>& records, std::uint32_t rounds) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(file, standing_after(0, rounds, ""));
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
  made.report.round = made.report.version = round;
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
  EXPECT_NE(text.find("4.5/0.0 kB  % 4:50.0"), std::string::npos);
}

RunStanding standing() {
  RunStanding made;
  made.round = made.accuracy_round = 20;
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
  EXPECT_EQ(progress_line(standing(), 200), "round 20/60  left 1:05  1.5/0.0 kB  % 32:75.0 4:50.0  loss 0.2500");
}

TEST(ProgressLine, LeavesOutWhatDoesNotFit) {
  const std::string whole = progress_line(standing(), 200);
  EXPECT_EQ(progress_line(standing(), whole.size()), whole);
  EXPECT_EQ(progress_line(standing(), whole.size() - 1), "round 20/60  left 1:05  1.5/0.0 kB  % 32:75.0 4:50.0");
  EXPECT_EQ(progress_line(standing(), 51), "round 20/60  left 1:05  1.5/0.0 kB  % 32:75 4:50");
  EXPECT_EQ(progress_line(standing(), 47), "round 20/60  left 1:05  1.5/0.0 kB  % 32:75");
  EXPECT_EQ(progress_line(standing(), 42), "round 20/60  left 1:05  1.5/0.0 kB");
  EXPECT_EQ(progress_line(standing(), 33), "round 20/60  left 1:05");
  EXPECT_EQ(progress_line(standing(), 21), "round 20/60");
  EXPECT_EQ(progress_line(standing(), 5), "");
}

TEST(ProgressLine, HasAllThatMattersAtEightyColumnsWithSixWidths) {
  RunStanding made = standing();
  made.accuracy.clear();
  for (const int weights : {32, 8, 6, 4, 3, 2}) {
    Accuracy accuracy;
    accuracy.point.weights = weights;
    accuracy.value = 0.968;
    made.accuracy.push_back(accuracy);
  }
  made.bytes_down = made.bytes_up = 12000000;
  EXPECT_EQ(progress_line(made, 79), "round 20/60  left 1:05  12/12 MB  % 32:96.8 8:96.8 6:96.8 4:96.8 3:96.8 2:96.8");
  made.round = made.accuracy_round = 1000;
  made.rounds = 2000;
  made.seconds_left = 40000;
  made.bytes_down = made.bytes_up = 123000000;
  EXPECT_EQ(progress_line(made, 79), "round 1000/2000  left 11:06:40  123/123 MB  % 32:97 8:97 6:97 4:97 3:97 2:97");
}

TEST(Progress, CountsVersionsAndNoAbandonedRounds) {
  RoundRecord abandoned = record(1);
  abandoned.report.version = 0;
  abandoned.report.abandoned = true;
  RoundRecord good = record(2);
  good.report.version = 1;
  good.accuracy.resize(1);
  good.failures = {"client 3 is lost"};
  const std::string text = printed({abandoned, good}, 10);
  EXPECT_TRUE(text.starts_with("round 1: abandoned, valid updates: 0\nround 0/10  1.5/0.0 kB  loss -"))
      << "no time to judge by: " << text;
  EXPECT_NE(text.find("round 1/10  left "), std::string::npos) << text;
  EXPECT_NE(text.find("round 2: client 3 is lost"), std::string::npos) << text;
}

TEST(ProgressLine, HasNoLossOfNobody) {
  RunStanding made = standing();
  made.accuracy.clear();
  made.loss = std::nan("");
  EXPECT_EQ(progress_line(made, 200), "round 20/60  left 1:05  1.5/0.0 kB  loss -");
}

/// What is written to a terminal of so many columns.
std::string shown_by(unsigned short columns, const std::function<void(std::FILE*)>& write) {
  const int screen = ::posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_EQ(::grantpt(screen), 0);
  EXPECT_EQ(::unlockpt(screen), 0);
  const struct winsize size = {24, columns, 0, 0};
  EXPECT_EQ(::ioctl(screen, TIOCSWINSZ, &size), 0);
  std::FILE* terminal = std::fopen(::ptsname(screen), "w");
  write(terminal);
  std::fclose(terminal);
  std::string text;
  char piece[1000];  // each write may come as a piece of its own; behind the last one is an error
  for (ssize_t got = 0; (got = ::read(screen, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(got));
  ::close(screen);
  return text;
}

/// What a progress with these records prints to a terminal of so many columns.
std::string shown(const std::vector<RoundRecord>& records, const RunStanding& start, unsigned short columns) {
  return shown_by(columns, [&](std::FILE* terminal) {
    Progress progress(terminal, start);
    for (const RoundRecord& record : records) {
      std::this_thread::sleep_for(kUntilDue);
      progress.round(record);
    }
  });
}

TEST(Progress, RewritesOneLineOnATerminal) {
  const std::string text = shown({record(1), record(2)}, standing_after(0, 2, ""), 80);
  EXPECT_EQ(text,
            "\r\033[Kround 0/2"
            "\r\033[Kround 1/2  left 0:00  1.5/0.0 kB  loss -"
            "\r\033[Kround 2/2  left 0:00  3.0/0.0 kB  loss -\r\n");
}

TEST(Progress, StaysOneColumnShortOfTheTerminalsEnd) {
  const std::string whole = "round 1/1  left 0:00  1.5/0.0 kB  loss -";
  const auto columns = static_cast<unsigned short>(whole.size());
  const std::string begun = "\r\033[Kround 0/1\r\033[K";
  EXPECT_EQ(shown({record(1)}, standing_after(0, 1, ""), columns + 1), begun + whole + "\r\n");
  EXPECT_EQ(shown({record(1)}, standing_after(0, 1, ""), columns), begun + "round 1/1  left 0:00  1.5/0.0 kB\r\n");
  EXPECT_EQ(shown({}, standing_after(0, 1, ""), 7), "\r\033[Kround \r\n");
}

TEST(Progress, GoesOnWithBytesAndAccuracyOfEarlierRounds) {
  RoundRecord evaluated = record(1);
  evaluated.accuracy.resize(1);
  evaluated.accuracy[0].value = 0.5;
  const RunStanding start = standing_after(2, 3, metrics_line(evaluated) + "\n" + metrics_line(record(2)) + "\n");
  EXPECT_EQ(shown({record(3)}, start, 80),
            "\r\033[Kround 2/3\r\033[Kround 3/3  left 0:00  4.5/0.0 kB  % 32:50.0 @1  loss -\r\n");
}

TEST(Progress, SaysOfWhichRoundAnEarlierAccuracyIs) {
  RoundRecord evaluated = record(1);
  evaluated.accuracy.resize(1);
  evaluated.accuracy[0].value = 0.5;
  const std::string text = printed({evaluated, record(2)}, 2);
  EXPECT_NE(text.find("% 32:50.0  loss -\n"), std::string::npos) << text;
  EXPECT_NE(text.find("% 32:50.0 @1  loss -\n"), std::string::npos) << text;
  const RunStanding start = standing_after(2, 3, metrics_line(evaluated) + "\n" + metrics_line(record(2)) + "\n");
  EXPECT_NE(progress_line(start, 80).find("% 32:50.0 @1"), std::string::npos) << "also after a resume";
  EXPECT_EQ(progress_line(start, 41).find("@"), std::string::npos) << "first to go where there is no room";
}

TEST(Progress, ARoundWhoseClientsAllFailedHasNoLoss) {
  RoundRecord failed = record(1);
  EXPECT_TRUE(printed({failed}, 1).ends_with("loss -\n"));
  failed.report.clients = 1;
  EXPECT_TRUE(printed({failed}, 1).ends_with("loss 0.0000\n"));
}

TEST(Progress, OfAnEvaluationIsALineThatGoesAwayOnATerminal) {
  const auto told = [](std::FILE* out) {
    EvaluationProgress progress(out);
    progress.stand(0, 12);
    std::this_thread::sleep_for(kUntilDue);
    progress.stand(11.75, 12);
  };
  EXPECT_EQ(shown_by(80, told), "\r\033[K0/12 points\r\033[K11/12 points  left 0:00\r\033[K");
  std::FILE* file = std::tmpfile();
  told(file);
  EXPECT_EQ(std::ftell(file), 0) << "nothing where it does not take long";
  std::fclose(file);
}

TEST(Progress, TellsFailures) {
  RoundRecord failed = record(1);
  failed.failures = {"client 7 is lost: no examples"};
  EXPECT_TRUE(printed({failed}, 2).starts_with("round 1: client 7 is lost: no examples\n"));
}

}  // namespace
}  // namespace anybit
