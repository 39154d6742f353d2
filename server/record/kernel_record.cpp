#include "server/record/kernel_record.h"

#include <fmt/format.h>

namespace anybit {
namespace {

const std::string kThen = " then ";

}  // namespace

std::string record_followed_by(const std::string& record, const std::string& now) {
  return record == now || record.ends_with(kThen + now) ? record : record + kThen + now;
}

std::string replay_refusal(const std::string& record, const std::string& here) {
  if (record.find(kThen) != std::string::npos)
    return fmt::format("a mixed run, made with kernels '{}': no one set makes the same bits", record);
  if (record == here) return {};
  return fmt::format("made with kernels '{}', here they are '{}': the same bits need the same kernels (--isa)", record,
                     here);
}

}  // namespace anybit
