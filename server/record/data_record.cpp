#include "server/record/data_record.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "data/availability/availability.h"
#include "scenarios/comma_list.h"

namespace anybit {
namespace {

using Contents = std::map<std::string, std::string>;

/// What each file held, by name.
Contents contents_of(const std::string& record) {
  Contents contents;
  std::istringstream lines(record);
  for (std::string line; std::getline(lines, line);) {  // a name may hold spaces
    const std::size_t size = line.rfind(' ');
    const std::size_t crc = size == 0 || size == std::string::npos ? 0 : line.rfind(' ', size - 1);
    if (crc == 0 || crc == std::string::npos) continue;
    contents[line.substr(0, crc)] =
        fmt::format("crc32 {} of {} bytes", line.substr(crc + 1, size - crc - 1), line.substr(size + 1));
  }
  return contents;
}

std::string shown_file(const Contents& contents, const std::string& name) {
  const auto found = contents.find(name);
  return found == contents.end() ? "not there" : found->second;
}

}  // namespace

std::string data_record(const std::vector<std::string>& checksums) {
  std::string record;
  for (const std::string& checksum : checksums) record += checksum + "\n";
  return record;
}

std::string record_of_examples(const std::string& record) {
  std::string examples;
  std::istringstream lines(record);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with(kTracePrefix)) examples += line + "\n";
  return examples;
}

std::string data_difference(const std::string& record, const std::string& now) {
  const Contents before = contents_of(record);
  const Contents after = contents_of(now);
  Contents all = before;
  all.insert(after.begin(), after.end());
  std::vector<std::string> differing;
  for (const auto& [name, unused] : all)
    if (shown_file(before, name) != shown_file(after, name))
      differing.push_back(fmt::format("{} ({}, now {})", name, shown_file(before, name), shown_file(after, name)));
  return comma_list(differing);
}

}  // namespace anybit
