#include "sim/provenance.h"

#include <fmt/format.h>

#include "nn/kernel_set.h"
#include "scenarios/comma_list.h"
#include "scenarios/listing.h"

namespace anybit {

std::string provenance_json(const Federation& federation, const std::string& kernels) {
  std::vector<std::string> checksums;
  for (const std::string& checksum : federation.data->checksums) checksums.push_back(json_text(checksum));
  const std::string now = kernel_set();
  return fmt::format(
      "{{\n  \"version\": {},\n  \"compiler\": {},\n  \"kernel_set\": {},\n  \"onednn\": {},\n"
      "  \"scenario_digest\": \"{:016x}\",\n  \"data\": [{}]\n}}\n",
      json_text(ANYBIT_VERSION), json_text("g++ " __VERSION__), json_text(kernels),
      json_text(now.substr(now.find(' ') + 1)), federation.run, comma_list(checksums));
}

}  // namespace anybit
