#include "server/event_log.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace anybit {
namespace {

struct EventLogFile : testing::Test {
  std::string path = std::filesystem::temp_directory_path() / ("anybit_events_" + std::to_string(::getpid()));
  ~EventLogFile() override { std::filesystem::remove(path); }

  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string error() const {
    try {
      read_event_log(path);
    } catch (const EventLogError& error) {
      return std::string(error.what()).substr(path.size());
    }
    return "accepted";
  }
};

using Kind = LoggedEvent::Kind;

std::vector<LoggedEvent> one_of_each() {
  UpdateMessage update;
  update.id.round = 3;
  return {describe(Started{}, 0.0, 4, 0),
          describe(ClientJoined{7}, 0.1, 4, 0),
          describe(ClientJoined{7, {8, 4}}, 0.1, 4, 0),
          describe(UpdateArrived{8, &update}, 1.0 / 3.0, 4, 0x0a1bU),
          describe(ClientLost{9, "link cut\n again"}, 1e9, 4, 0),
          describe(TimePassed{}, 1e-300, 4, 0),
          describe(RoundReport{.round = 5}, 2.0),
          describe(ClientLost{2, "away", false}, 2.5, 4, 0)};
}

TEST_F(EventLogFile, HoldsOneEventALine) {
  EventLog log(path);
  for (const LoggedEvent& event : one_of_each()) log.append(event);
  log.flush();
  EXPECT_EQ(text(),
            "0 started 0 4 -\n"
            "0.1 joined 7 4 -\n"
            "0.1 joined 7 4 8,4\n"
            "0.3333333333333333 update 8 3 00000a1b\n"
            "1e+09 lost 9 4 link cut  again\n"
            "1e-300 time 0 4 -\n"
            "2 concluded 0 4 -\n"
            "2.5 unreplaced 2 4 away\n");
}

TEST_F(EventLogFile, ReadsBackWhatWasWritten) {
  std::vector<LoggedEvent> events = one_of_each();
  EventLog log(path);
  for (const LoggedEvent& event : events) log.append(event);
  log.flush();
  events[4].reason = "link cut  again";
  EXPECT_EQ(read_event_log(path), events);
}

TEST_F(EventLogFile, GoesOnAtItsEnd) {
  EventLog(path).append(one_of_each()[0]);
  EventLog(path).append(one_of_each()[5]);
  EXPECT_EQ(text(), "0 started 0 4 -\n1e-300 time 0 4 -\n");
}

TEST_F(EventLogFile, IsSyncedWhereThereIsADisk) {
  EventLog log(path);
  log.append(one_of_each()[0]);
  EXPECT_NO_THROW(log.sync());
  EXPECT_NO_THROW(EventLog("/dev/null").sync());
}

TEST_F(EventLogFile, NamesTheLineThatIsBroken) {
  const std::string good = "0 started 0 0 -\n";
  const std::string advice = "; put the file back from a copy, or start the run anew (--force)";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {good + "x joined 1 0 -\n", ":2: the time is no number"},
      {good + "nan joined 1 0 -\n", ":2: the time is no number"},
      {"\n", ":1: the time is no number"},
      {good + good + "1 jumped 1 0 -\n", ":3: unknown kind of event 'jumped'"},
      {good + "1 joined -1 0 -\n", ":2: the client is no number"},
      {good + "1 joined 1 4294967296 -\n", ":2: the round is no number"},
      {good + "1 joined 1 0\n", ":2: the note is missing"},
      {good + "1 joined 1 0 8,x\n", ":2: the note of who joined is no list of widths"},
      {good + "1 joined 1 0 8,,4\n", ":2: the note of who joined is no list of widths"},
      {good + "1 joined 1 0 17\n", ":2: the note of who joined is no list of widths"},
      {good + "1 joined 1 0 1\n", ":2: the note of who joined is no list of widths"},
      {good + "1 update 1 0 abc\n", ":2: the checksum is not 8 hex digits"},
      {good + "1 update 1 0 0000000g\n", ":2: the checksum is not 8 hex digits"},
      {good + "1 concluded 0 0 x\n", ":2: the note of a round's end is no '-'"},
      {good + "1 update 1 0 0000", ":2: the line is cut off"}};
  for (const auto& [log, reason] : cases) {
    write(log);
    EXPECT_EQ(error(), reason + advice) << log;
  }
}

TEST_F(EventLogFile, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(error(), ": No such file or directory; is this a run directory?");
  try {
    EventLog log("/nonexistent/folder/events.log");
    FAIL();
  } catch (const EventLogError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot write /nonexistent/folder/events.log: No such file or directory; make the folder, or choose one "
              "that exists");
  }
  EventLog full("/dev/full");
  try {
    full.append(one_of_each()[0]);
    full.sync();
    FAIL() << "the disk is full";
  } catch (const EventLogError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot write /dev/full: No space left on device; "
              "free space there or choose another folder, then resume");
  }
}

}  // namespace
}  // namespace anybit
