#include "server/record/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "server/durable_file.h"
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

[[noreturn]] void fail_incomplete(const fs::path& path, int line, std::uint32_t round, std::uint32_t version) {
  throw RunError(
      fmt::format("{}:{}: round {} is not whole there, but the checkpoint is of round {}; put the file back "
                  "from a copy, or start the run anew (--force)",
                  path.string(), line, round, version));
}

/// Where the lines of the first `version` rounds end in metrics.jsonl.
std::size_t end_of_metrics(const fs::path& path, std::uint32_t version) {
  Lines lines(read_file(path));
  for (std::uint32_t round = 1; round <= version; ++round)
    if (!lines.next() || round_of_metrics_line(std::string(lines.line())) != round)
      fail_incomplete(path, lines.number(), round, version);
  return lines.end();
}

/// Where the lines of the first `version` rounds end in events.log: its start, and `cohort` answers or losses a round.
std::size_t end_of_events(const fs::path& path, std::uint32_t version, std::uint32_t cohort) {
  using Kind = LoggedEvent::Kind;
  if (version == 0) return 0;  // it starts again
  Lines lines(read_file(path));
  std::uint32_t round = 0;
  const auto require = [&](bool whole) {
    if (!whole) fail_incomplete(path, lines.number(), round + 1, version);
  };
  LoggedEvent event;
  require(lines.next() && parse_event(lines.line(), event).empty() && event.kind == Kind::kStarted);
  for (; round < version; ++round) {
    for (std::uint32_t answers = 0; answers < cohort;) {
      require(lines.next() && parse_event(lines.line(), event).empty() && event.round == round);
      if (event.kind == Kind::kUpdate || event.kind == Kind::kLost) ++answers;
    }
  }
  return lines.end();
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
    throw RunError(fmt::format("{}: cannot make the run directory: {}; name another with --out", path_.string(),
                               failure.message()));
}

void RunDirectory::clear() const {
  for (const auto& file : {model(), scenario(), provenance(), metrics(), events()}) fs::remove(file);
  for (const char* picture : {"accuracy_by_round", "accuracy_by_width"})
    for (const char* kind : {".png", ".svg"}) fs::remove(path_ / (std::string(picture) + kind));
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(checkpoints(), missing))
    if (entry.path().filename().string().starts_with("checkpoint-")) fs::remove(entry.path());
}

void RunDirectory::remove_leftovers() const {
  for (const auto& file : {model(), scenario(), provenance()}) fs::remove(temporary_of(file.string()));
}

void RunDirectory::cut_back(std::uint32_t version, std::uint32_t cohort) const {
  const std::size_t metrics_end = end_of_metrics(metrics(), version);
  const std::size_t events_end = end_of_events(events(), version, cohort);
  fs::resize_file(metrics(), metrics_end);
  fs::resize_file(events(), events_end);
}

RunLock::RunLock(const RunDirectory& directory)
    : file_(::open(directory.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0) throw RunError(describe_failure("write", directory.lock().string(), errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(file_);
  if (error != EWOULDBLOCK) throw RunError(describe_failure("lock", directory.lock().string(), error));
  throw RunError(fmt::format("another process runs in {}; wait for its end, or name another directory (--out)",
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
