// Any bytes as events.log, line by line and whole, and as metrics.jsonl: what reads is written back as it was.
#include <sstream>

#include "server/event_log.h"
#include "server/record/metrics.h"
#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/memory_file.h"

using namespace anybit;

namespace {

std::string without_end(std::string line) {
  line.pop_back();
  return line;
}

void read_line(const std::string& line) {
  LoggedEvent event;
  if (!parse_event(line, event).empty()) return;
  const std::string written = without_end(to_line(event));
  require(written.find('\n') == std::string::npos, "an event is one line");
  LoggedEvent again;
  require(parse_event(written, again).empty(), "what was written reads");
  require(without_end(to_line(again)) == written, "an event is written in one way");
}

void read_log(std::span<const std::uint8_t> bytes) {
  const MemoryFile file(bytes);
  try {
    require(read_event_log(file.path()).size() <= bytes.size(), "no more events than bytes");
  } catch (const EventLogError& error) {
    require(error.what()[0] != '\0', "a refusal has a reason");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    read_line(line);
    static_cast<void>(round_of_metrics_line(line));
  }
  read_log({data, size});
  const EarlierRounds earlier = read_earlier_rounds(text);
  require(earlier.accuracy.size() <= size, "no more points than bytes");
  require(count_abandoned(text) <= size, "no more rounds than bytes");
  static_cast<void>(accuracies_json(earlier.accuracy));
  return 0;
}
