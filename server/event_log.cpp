#include "server/event_log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "server/durable_file.h"

namespace anybit {
namespace {

using Kind = LoggedEvent::Kind;
constexpr std::array<std::string_view, 5> kKinds = {"started", "joined", "update", "lost", "time"};
static_assert(std::variant_size_v<Event> == kKinds.size(), "a kind for each event, in the same order");

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

/// Takes the text up to the next space.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number, class... Format>
bool parse(std::string_view word, Number& number, Format... format) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, format...);
  return error == std::errc{} && end == word.data() + word.size();
}

/// "" or what is wrong with the line.
std::string parse_line(std::string_view line, LoggedEvent& event) {
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
  if (event.kind == Kind::kLost && line != "-") event.reason = line;
  return "";
}

}  // namespace

LoggedEvent describe(const Event& event, double time, std::uint32_t version, std::uint32_t update_crc) {
  LoggedEvent logged;
  logged.time = time;
  logged.kind = static_cast<Kind>(event.index());
  logged.round = version;
  if (const auto* joined = std::get_if<ClientJoined>(&event)) logged.client = joined->client;
  if (const auto* arrived = std::get_if<UpdateArrived>(&event)) {
    logged.client = arrived->client;
    logged.round = arrived->update->id.round;
    logged.crc = update_crc;
  }
  if (const auto* lost = std::get_if<ClientLost>(&event)) {
    logged.client = lost->client;
    logged.reason = lost->reason;
  }
  return logged;
}

std::string to_line(const LoggedEvent& event) {
  std::string note = "-";
  if (event.kind == Kind::kUpdate) note = crc_text(event.crc);
  if (event.kind == Kind::kLost) note = one_line(event.reason);
  return text_of(event.time) + ' ' + std::string(kKinds[static_cast<std::size_t>(event.kind)]) + ' ' +
         std::to_string(event.client) + ' ' + std::to_string(event.round) + ' ' + note + '\n';
}

EventLog::EventLog(std::string path, std::uint64_t keep_bytes) : path_(std::move(path)), bytes_(keep_bytes) {
  if (keep_bytes > 0) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path_, error);
    if (!error && size < keep_bytes)
      throw EventLogError(path_ + ": shorter than the checkpoint says (" + std::to_string(size) + " of " +
                          std::to_string(keep_bytes) + " bytes); resume from a copy, or start a new run");
    if (!error) std::filesystem::resize_file(path_, keep_bytes, error);
    if (error) throw EventLogError(describe_failure("write", path_, error.value()));
  }
  errno = 0;
  file_.open(path_, keep_bytes > 0 ? std::ios::app | std::ios::binary : std::ios::trunc | std::ios::binary);
  if (!file_) throw EventLogError(describe_failure("write", path_, errno));
}

void EventLog::append(const LoggedEvent& event) {
  const std::string line = to_line(event);
  errno = 0;
  file_ << line << std::flush;
  if (!file_) throw EventLogError(describe_failure("write", path_, errno));
  bytes_ += line.size();
}

std::vector<LoggedEvent> read_event_log(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw EventLogError(path + ": " + std::generic_category().message(errno) + "; is this a run directory?");
  std::vector<LoggedEvent> events;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto fail = [&](const std::string& reason) {
      throw EventLogError(path + ":" + std::to_string(number) + ": " + reason + "; resume the run to repair its end");
    };
    if (file.eof()) fail("the line is cut off");
    LoggedEvent event;
    if (const std::string reason = parse_line(line, event); !reason.empty()) fail(reason);
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace anybit
