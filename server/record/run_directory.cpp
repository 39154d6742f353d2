#include "server/record/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "program/durable_file.h"
#include "server/event_log.h"
#include "server/record/metrics.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

/// Walks over the whole lines of a text, one after the other.
class Lines {
 public:
  explicit Lines(std::string text) : text_(std::move(text)) {}

  bool next() {
    const std::size_t begin = end_;
    const std::size_t stop = text_.find('\n', begin);
    if (stop == std::string::npos) return false;
    line_ = std::string_view(text_).substr(begin, stop - begin);
    end_ = stop + 1;
    ++number_;
    return true;
  }

  std::string_view line() const { return line_; }
  int number() const { return number_; }
  /// Where the line ends that was read last.
  std::size_t end() const { return end_; }

 private:
  std::string text_;
  std::string_view line_;
  std::size_t end_ = 0;
  int number_ = 0;
};

[[noreturn]] void fail_incomplete(const fs::path& path, int line, std::uint32_t round, std::uint32_t rounds) {
  throw RunError(
      fmt::format("{}:{}: round {} is not whole there, but the checkpoint is of round {}; put the file back "
                  "from a copy, or start the run anew (--force)",
                  path.string(), line, round, rounds));
}

/// Where the lines of the first `rounds` rounds end in metrics.jsonl.
std::size_t end_of_metrics(const fs::path& path, std::uint32_t rounds) {
  Lines lines(read_file(path));
  for (std::uint32_t round = 1; round <= rounds; ++round)
    if (!lines.next() || round_of_metrics_line(std::string(lines.line())) != round)
      fail_incomplete(path, lines.number(), round, rounds);
  return lines.end();
}

/// Where the lines of the first `rounds` rounds end in events.log: behind the one that says that the last is over.
std::size_t end_of_events(const fs::path& path, std::uint32_t rounds) {
  if (rounds == 0) return 0;  // it starts again
  Lines lines(read_file(path));
  std::uint32_t round = 0;
  const auto require = [&](bool whole) {
    if (!whole) fail_incomplete(path, lines.number(), round + 1, rounds);
  };
  LoggedEvent event;
  require(lines.next() && parse_event(lines.line(), event).empty() && event.kind == LoggedEvent::Kind::kStarted);
  while (round < rounds) {
    require(lines.next() && parse_event(lines.line(), event).empty());
    // An update can be of another, and was refused.
    require(event.kind == LoggedEvent::Kind::kUpdate || event.round == round);
    if (event.kind == LoggedEvent::Kind::kConcluded) ++round;
  }
  return lines.end();
}

/// Where the lines of the first `rounds` rounds end in tasks.csv: its lines begin with their round.
std::size_t end_of_tasks(const fs::path& path, std::uint32_t rounds) {
  Lines lines(read_file(path));
  std::size_t end = 0;
  while (lines.next()) {
    std::uint32_t round = 0;  // of the first line, which has names
    std::from_chars(lines.line().data(), lines.line().data() + lines.line().size(), round);
    if (round > rounds) break;
    end = lines.end();
  }
  return end;
}

}  // namespace

bool RunDirectory::holds_run() const { return fs::exists(metrics()) || fs::exists(checkpoints()) || is_finished(); }

bool RunDirectory::is_foreign() const {
  if (holds_run()) return false;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(path_, unreadable))
    if (entry.path() != lock()) return true;
  return false;
}

void RunDirectory::create() const {
  std::error_code failure;
  fs::create_directories(checkpoints(), failure);
  if (failure)
    throw RunError(
        fmt::format("{}: cannot make the run directory: {}; name another", path_.string(), failure.message()));
}

void RunDirectory::clear() const {
  for (const auto& file : {model(), scenario(), provenance(), metrics(), events(), tasks()}) fs::remove(file);
  for (const char* picture :
       {"accuracy_by_round", "accuracy_by_width", "accuracy_by_cost", "energy_by_class", "timeline"})
    for (const char* kind : {".png", ".svg"}) fs::remove(path_ / (std::string(picture) + kind));
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(checkpoints(), missing))
    if (entry.path().filename().string().starts_with("checkpoint-")) fs::remove(entry.path());
}

void RunDirectory::remove_leftovers() const {
  for (const auto& file : {model(), scenario(), provenance()}) fs::remove(temporary_of(file.string()));
}

void RunDirectory::cut_back(std::uint32_t rounds) const {
  const std::size_t metrics_end = end_of_metrics(metrics(), rounds);
  const std::size_t events_end = end_of_events(events(), rounds);
  fs::resize_file(metrics(), metrics_end);
  fs::resize_file(events(), events_end);
  if (fs::exists(tasks())) fs::resize_file(tasks(), end_of_tasks(tasks(), rounds));
}

RunLock::RunLock(const RunDirectory& directory)
    : file_(::open(directory.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0) throw RunError(describe_failure("write", directory.lock().string(), errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(file_);
  if (error != EWOULDBLOCK) throw RunError(describe_failure("lock", directory.lock().string(), error));
  throw RunError(fmt::format("another process runs in {}; wait for its end, or name another run directory",
                             directory.path().string()));
}

void RunLock::note(std::string_view what) const {
  std::array<char, 32> line;  // always as long, so that nothing of a longer word stays
  line.fill(' ');
  line.back() = '\n';
  std::copy_n(what.begin(), std::min(what.size(), line.size() - 1), line.begin());
  // A word that cannot be written costs nobody anything.
  [[maybe_unused]] const ssize_t written = ::pwrite(file_, line.data(), line.size(), 0);
}

RunLock::~RunLock() { ::close(file_); }

}  // namespace anybit
