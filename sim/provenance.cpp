#include "sim/provenance.h"

#include <fmt/format.h>

#include <sstream>

#include "nn/kernel_set.h"
#include "scenarios/comma_list.h"
#include "scenarios/listing.h"
#include "sim/version.h"

namespace anybit {
namespace {

constexpr std::string_view kProcess = "    {\"after_round\": ";

std::string this_process(std::uint32_t begun_after) {
  const std::string now = kernel_set();
  return fmt::format(R"({}{}, "version": {}, "commit": {}, "compiler": {}, "kernel_set": {}, "onednn": {}}})", kProcess,
                     begun_after, json_text(program_version()), json_text(program_commit()),
                     json_text("g++ " __VERSION__), json_text(now), json_text(now.substr(now.find(' ') + 1)));
}

/// The lines of processes in a provenance file, each without its comma.
std::string processes_of(const std::string& text) {
  std::string processes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kProcess)) processes += line.substr(0, line.rfind('}') + 1) + ",\n";
  return processes;
}

}  // namespace

std::string provenance_json(const Federation& federation, const std::string& kernels, std::uint32_t begun_after,
                            const std::string& earlier) {
  std::vector<std::string> checksums;
  for (const std::string& checksum : federation.data->checksums) checksums.push_back(json_text(checksum));
  return fmt::format(
      "{{\n  \"scenario_digest\": \"{:016x}\",\n  \"data\": [{}],\n  \"kernel_set\": {},\n"
      "  \"processes\": [\n{}{}\n  ]\n}}\n",
      federation.run, comma_list(checksums), json_text(kernels), processes_of(earlier), this_process(begun_after));
}

}  // namespace anybit
