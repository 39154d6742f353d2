#include "sim/run_directory.h"

#include <fmt/format.h>

#include <functional>
#include <sstream>
#include <string>

#include "sim/metrics.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

/// Cuts the file after the last of its first whole lines for which `belongs` holds.
void cut_lines(const fs::path& path, const std::function<bool(const std::string&)>& belongs) {
  if (!fs::exists(path)) return;
  const std::string text = read_file(path);
  std::size_t kept = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', kept)) {
    if (!belongs(text.substr(kept, end - kept))) break;
    kept = end + 1;
  }
  fs::resize_file(path, kept);
}

bool metrics_belong(const std::string& line, std::uint32_t version) {
  const std::uint32_t round = round_of_metrics_line(line);
  return round != 0 && round <= version;
}

/// "TIME KIND CLIENT ROUND NOTE" (server/event_log.h); ROUND is the version that the event's round started from.
bool event_belongs(const std::string& line, std::uint32_t version) {
  std::istringstream words(line);
  std::string time;
  std::string kind;
  std::uint64_t client = 0;
  std::uint64_t round = 0;
  return words >> time >> kind >> client >> round && round < version;
}

}  // namespace

bool RunDirectory::holds_run() const {
  return fs::exists(scenario()) || fs::exists(metrics()) || fs::exists(checkpoints()) || is_finished();
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
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(checkpoints(), missing))
    if (entry.path().filename().string().starts_with("checkpoint-")) fs::remove(entry.path());
}

void RunDirectory::cut_back(std::uint32_t version) const {
  cut_lines(metrics(), [version](const std::string& line) { return metrics_belong(line, version); });
  cut_lines(events(), [version](const std::string& line) { return event_belongs(line, version); });
}

}  // namespace anybit
