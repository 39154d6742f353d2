#include "server/record/kernel_record.h"

#include <fmt/format.h>

#include <algorithm>

namespace anybit {
namespace {

const std::string kThen = " then ";

}  // namespace

std::string record_with(const std::string& record, const std::string& other) {
  constexpr std::size_t kMostNames = 8;
  const bool is_name = !other.empty() && other.find(kThen) == std::string::npos;
  const std::string name = is_name ? other : "unknown";
  std::size_t names = 0;
  for (std::size_t begin = 0; begin <= record.size(); ++names) {
    const std::size_t end = std::min(record.find(kThen, begin), record.size());
    if (record.compare(begin, end - begin, name) == 0) return record;
    begin = end + kThen.size();
  }
  if (record.empty()) return name;
  return names < kMostNames ? record + kThen + name : record;
}

std::string replay_refusal(const std::string& record, const std::string& here) {
  if (record.find(kThen) != std::string::npos)
    return fmt::format("a mixed run, made with kernels '{}': no one set makes the same bits", record);
  if (record == here) return {};
  return fmt::format("made with kernels '{}', here they are '{}': the same bits need the same kernels (--isa)", record,
                     here);
}

}  // namespace anybit
