#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "data/availability/availability.h"
#include "data/availability/time_grid.h"
#include "data/availability/trace_file.h"
#include "scenarios/comma_list.h"
#include "scenarios/option_types.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

/// A run keeps a copy under the same name, so the name must lead nowhere else.
void require_name(const Options& options) {
  const fs::path name = options.text("file");
  const bool is_plain = std::ranges::none_of(name.string(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || static_cast<unsigned char>(letter) == 0x7F;
  });
  const bool leads_up = std::ranges::find(name, fs::path("..")) != name.end();
  options.require(
      name.has_filename() && name.is_relative() && !leads_up && is_plain, "file",
      fmt::format("'{}' is not the name of a file beside the scenario or in a data directory: it must not be "
                  "empty, start with '/', or hold '..' or control characters",
                  name.string()));
}

std::string find_trace(const Options& options, const AvailabilitySource& source) {
  const std::string& name = options.text("file");
  std::vector<fs::path> folders = {source.beside, source.beside / "traces"};
  folders.insert(folders.end(), source.directories.begin(), source.directories.end());
  std::vector<std::string> tried;
  for (const fs::path& folder : folders) {
    const fs::path path = folder / name;
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path.string();
    tried.push_back(path.string());
  }
  options.refuse("file", "there is no such file: none of " + comma_list(tried));
}

std::string read_text(const std::string& path, const Options& options) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  options.require(file.is_open() && !file.bad(), "file", path + ": cannot be read: " + std::strerror(errno));
  return text;
}

/// Each client of the class needs a line: that one is never there would be too easy to overlook.
void require_all_members(const std::vector<Interval>& sorted, const std::string& path, const Options& options,
                         const AvailabilitySource& source) {
  std::uint32_t lacking = 0, first = 0;
  auto next = sorted.begin();
  for (std::uint32_t client = 0; client < source.clients; ++client) {
    while (next != sorted.end() && next->client < client) ++next;
    const bool is_listed = next != sorted.end() && next->client == client;
    if (is_listed || !source.is_member(client)) continue;
    if (lacking++ == 0) first = client;
  }
  options.require(lacking == 0, "file",
                  fmt::format("{} has no line for clients of this class: {} of them, the first is client {}", path,
                              lacking, first));
}

void keep(const std::string& name, const std::string& path, std::string_view text, std::vector<TraceFile>& files) {
  const auto same = [&](const TraceFile& file) { return file.name == name; };
  if (std::ranges::any_of(files, same)) return;
  const uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
  files.push_back({name, path, fmt::format("{}{} {:08x} {}", kTracePrefix, name, crc, text.size())});
}

std::shared_ptr<const Availability> make_trace(const Options& options, const AvailabilitySource& source) {
  require_name(options);
  const double repeat = on_grid(options.non_negative("repeat"));
  options.require(options.number("repeat") == 0 || (repeat >= 1 && repeat <= kMostSeconds), "repeat",
                  "must be 0, for never, or 1 to " + shortest_number(kMostSeconds) + " seconds");
  if (!source.files) return nullptr;
  const std::string path = find_trace(options, source);
  const std::string text = read_text(path, options);
  const TraceReader reader{path, source.clients, repeat, source.is_member};
  const std::vector<Interval> intervals = reader.read(text);
  require_all_members(intervals, path, options, source);
  keep(options.text("file"), path, text, *source.files);
  return std::make_shared<const Intervals>(intervals, repeat);
}

}  // namespace

AvailabilityTable::Row trace_row() {
  return {{"trace",
           "in the intervals of a file, a line client,start,end in seconds for each",
           "as recorded in Yang et al., Characterizing impacts of heterogeneity in federated learning upon large-scale "
           "smartphone data, WWW 2021",
           {{"file", std::string("availability.csv"), std::string("weekend.csv"),
             "beside the scenario, or in its folder traces, or in a data directory"},
            {"repeat", 0.0, 1000.0, "seconds after which it starts again; 0: never"}},
           {"", {}, {}, "what it does is in the file"}},
          make_trace};
}

}  // namespace anybit
