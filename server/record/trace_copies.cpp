#include "server/record/trace_copies.h"

#include <fmt/format.h>

#include <algorithm>

namespace anybit {
namespace {

namespace fs = std::filesystem;

bool is_copy_itself(const RunDirectory& directory, const TraceFile& trace) {
  std::error_code not_there;
  return fs::equivalent(trace.path, directory.traces() / trace.name, not_there);
}

}  // namespace

std::vector<std::string> with_trace_copies(std::vector<std::string> data_directories, const RunDirectory& directory) {
  data_directories.push_back(directory.traces().string());
  return data_directories;
}

void write_trace_copies(const RunDirectory& directory, const Fleet& fleet) {
  for (const TraceFile& trace : fleet.traces()) {
    const fs::path copy = directory.traces() / trace.name;
    std::error_code failure;
    fs::create_directories(copy.parent_path(), failure);
    if (failure) throw RunError(fmt::format("{}: cannot be made: {}", copy.parent_path().string(), failure.message()));
    write_file(copy, read_file(trace.path));
  }
}

void clear_trace_copies(const RunDirectory& directory, const Fleet& fleet) {
  const auto is_itself = [&](const TraceFile& trace) { return is_copy_itself(directory, trace); };
  if (!std::ranges::any_of(fleet.traces(), is_itself)) fs::remove_all(directory.traces());
}

}  // namespace anybit
