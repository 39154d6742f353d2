#include "server/event_log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>
#include <utility>

#include "program/durable_file.h"
#include "scenarios/width.h"

namespace anybit {
namespace {

using Kind = LoggedEvent::Kind;
constexpr std::string_view kVirtual = "virtual";
constexpr std::array<std::string_view, 7> kKinds = {"started", "joined",    "update",    "lost",
                                                    "time",    "concluded", "unreplaced"};
static_assert(std::variant_size_v<Event> + 2 == kKinds.size(),
              "a kind for each event, in the same order, and two more");

bool is_loss(Kind kind) { return kind == Kind::kLost || kind == Kind::kUnreplaced; }

template <class Number, class... Format>
std::string text_of(Number number, Format... format) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number, format...);
  return {text.data(), result.ptr};
}

std::string crc_text(std::uint32_t crc) {
  const std::string digits = text_of(crc, 16);
  return std::string(8 - digits.size(), '0') + digits;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text.empty() ? "-" : text;
}

std::string widths_text(const std::vector<std::uint32_t>& widths) {
  std::string text;
  for (const std::uint32_t width : widths) {
    if (!text.empty()) text += ',';
    text += text_of(width);
  }
  return text.empty() ? "-" : text;
}

/// Takes the text up to the next space, or whatever else ends a word.
std::string_view take_word(std::string_view& line, char behind = ' ') {
  const std::size_t end = std::min(line.find(behind), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number, class... Format>
bool parse(std::string_view word, Number& number, Format... format) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, format...);
  return error == std::errc{} && end == word.data() + word.size();
}

bool parse_widths(std::string_view text, std::vector<std::uint32_t>& widths) {
  while (!text.empty()) {
    if (!parse(take_word(text, ','), widths.emplace_back())) return false;
    if (!is_width(widths.back())) return false;
  }
  return true;
}

}  // namespace

LoggedEvent describe(const Event& event, double time, std::uint32_t round, std::uint32_t update_crc) {
  LoggedEvent logged;
  logged.time = time;
  logged.kind = static_cast<Kind>(event.index());
  logged.round = round;
  if (const auto* started = std::get_if<Started>(&event)) logged.virtual_time = started->virtual_time;
  if (const auto* joined = std::get_if<ClientJoined>(&event)) {
    logged.client = joined->client;
    logged.widths = joined->widths;
  }
  if (const auto* arrived = std::get_if<UpdateArrived>(&event)) {
    logged.client = arrived->client;
    logged.round = arrived->update->id.round;
    logged.crc = update_crc;
  }
  if (const auto* lost = std::get_if<ClientLost>(&event)) {
    logged.client = lost->client;
    logged.reason = lost->reason;
    if (!lost->replaceable) logged.kind = Kind::kUnreplaced;
  }
  return logged;
}

LoggedEvent describe(const RoundReport& report, double time) {
  LoggedEvent logged;
  logged.time = time;
  logged.kind = Kind::kConcluded;
  logged.round = report.round - 1;
  return logged;
}

std::string to_line(const LoggedEvent& event) {
  std::string note = "-";
  if (event.kind == Kind::kUpdate) note = crc_text(event.crc);
  if (is_loss(event.kind)) note = one_line(event.reason);
  if (event.kind == Kind::kJoined) note = widths_text(event.widths);
  if (event.virtual_time) note = kVirtual;
  return text_of(event.time) + ' ' + std::string(kKinds[static_cast<std::size_t>(event.kind)]) + ' ' +
         std::to_string(event.client) + ' ' + std::to_string(event.round) + ' ' + note + '\n';
}

std::string parse_event(std::string_view line, LoggedEvent& event) {
  if (!parse(take_word(line), event.time) || !std::isfinite(event.time)) return "the time is no number";
  const std::string_view kind = take_word(line);
  std::size_t index = 0;
  while (index < kKinds.size() && kKinds[index] != kind) ++index;
  if (index == kKinds.size()) return "unknown kind of event '" + std::string(kind) + "'";
  event.kind = static_cast<Kind>(index);
  if (!parse(take_word(line), event.client)) return "the client is no number";
  if (!parse(take_word(line), event.round)) return "the round is no number";
  if (line.empty()) return "the note is missing";
  if (event.kind == Kind::kUpdate && (line.size() != 8 || !parse(line, event.crc, 16)))
    return "the checksum is not 8 hex digits";
  event.virtual_time = event.kind == Kind::kStarted && line == kVirtual;
  if (event.kind == Kind::kConcluded && line != "-") return "the note of a round's end is no '-'";
  if (is_loss(event.kind) && line != "-") event.reason = line;
  if (event.kind == Kind::kJoined && line != "-" && !parse_widths(line, event.widths))
    return "the note of who joined is no list of widths";
  return "";
}

EventLog::EventLog(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "ab")) {
  if (!file_) throw EventLogError(describe_failure("write", path_, errno));
}

void EventLog::append(const LoggedEvent& event) {
  const std::string line = to_line(event);
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size())
    throw EventLogError(describe_failure("write", path_, errno));
}

void EventLog::flush() {
  if (std::fflush(file_.get()) != 0) throw EventLogError(describe_failure("write", path_, errno));
}

void EventLog::sync() {
  flush();
  // EINVAL: the file is no file of a disk (a pipe, /dev/null), so there is nothing to wait for.
  if (::fsync(::fileno(file_.get())) != 0 && errno != EINVAL)
    throw EventLogError(describe_failure("flush", path_, errno));
}

std::vector<LoggedEvent> read_event_log(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw EventLogError(path + ": " + std::generic_category().message(errno) + "; is this a run directory?");
  std::vector<LoggedEvent> events;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto fail = [&](const std::string& reason) {
      throw EventLogError(path + ":" + std::to_string(number) + ": " + reason +
                          "; put the file back from a copy, or start the run anew (--force)");
    };
    if (file.eof()) fail("the line is cut off");
    LoggedEvent event;
    if (const std::string reason = parse_event(line, event); !reason.empty()) fail(reason);
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace anybit
