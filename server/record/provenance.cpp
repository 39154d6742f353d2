#include "server/record/provenance.h"

#include <fmt/format.h>

#include <sstream>

#include "nn/kernel_set.h"
#include "program/version.h"
#include "scenarios/comma_list.h"
#include "scenarios/listing.h"
#include "server/record/trace_copies.h"

namespace anybit {
namespace {

constexpr std::string_view kProcess = "    {\"after_round\": ";

std::string this_process(std::uint32_t begun_after) {
  return fmt::format(R"({}{}, "version": {}, "commit": {}, "compiler": {}, "kernel_set": {}}})", kProcess, begun_after,
                     json_text(program_version()), json_text(program_commit()), json_text("g++ " __VERSION__),
                     json_text(kernel_set()));
}

/// The lines of processes in a provenance file, each without its comma; what is no whole line of one is left out.
std::string processes_of(const std::string& text) {
  std::string processes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.rfind('}');
    if (line.starts_with(kProcess) && end != std::string::npos) processes += line.substr(0, end + 1) + ",\n";
  }
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

void write_origin(const RunDirectory& directory, const Federation& federation, const std::string& kernels,
                  std::uint32_t begun_after) {
  write_file(directory.scenario(), write_scenario(federation.scenario));
  write_trace_copies(directory, federation.fleet);
  const std::string earlier = std::filesystem::exists(directory.provenance()) ? read_file(directory.provenance()) : "";
  write_file(directory.provenance(), provenance_json(federation, kernels, begun_after, earlier));
}

}  // namespace anybit
