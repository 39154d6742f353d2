#include <algorithm>
#include <charconv>
#include <filesystem>

#include "program/durable_file.h"
#include "server/checkpoint.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".ckpt";

struct Found {
  std::uint32_t version = 0;
  fs::path path;
};

/// The version in "checkpoint-000010.ckpt"; none for other names.
std::optional<std::uint32_t> version_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return version;
}

/// Newest first.
std::vector<Found> list_checkpoints(const std::string& folder) {
  std::vector<Found> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (const auto version = version_of(entry.path().filename().string())) found.push_back({*version, entry.path()});
  std::ranges::sort(found, [](const Found& a, const Found& b) { return a.version > b.version; });
  return found;
}

}  // namespace

std::string checkpoint_path(const std::string& folder, std::uint32_t version) {
  std::string digits = std::to_string(version);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return (fs::path(folder) / (std::string(kPrefix) + digits + std::string(kSuffix))).string();
}

std::optional<LatestCheckpoint> latest_checkpoint(const std::string& folder) {
  LatestCheckpoint latest;
  const std::vector<Found> found = list_checkpoints(folder);
  for (const Found& candidate : found) {
    latest.path = candidate.path.string();
    try {
      latest.checkpoint = read_checkpoint(latest.path);
      return latest;
    } catch (const CheckpointError& error) {
      latest.broken.emplace_back(error.what());
    }
  }
  if (found.empty()) return std::nullopt;
  std::string all = "no checkpoint in " + folder + " can be read:";
  for (const std::string& reason : latest.broken) all += "\n  " + reason;
  throw CheckpointError(all);
}

void prune_checkpoints(const std::string& folder, std::uint32_t saved, int keep) {
  std::error_code ignored;  // a file that stays costs space only
  int kept = 0;
  for (const Found& candidate : list_checkpoints(folder))
    if (candidate.version > saved || ++kept > std::max(keep, 1)) fs::remove(candidate.path, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(temporary_of(std::string(kSuffix))))
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace anybit
