#include "nn/kernel_set.h"

#include <dnnl.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace anybit {
namespace {

/// The same bits on every processor. To be counted up when a change of the kernels changes bits, which
/// PortableBits.AreTheSameEverywhere tells.
constexpr const char* kPortableSet = "portable anybit-1";

/// Set by the pin, beside oneDNN's own process-wide setting.
std::atomic<bool> portable_pinned{false};

dnnl_cpu_isa_t limit_of(const std::string& name) {
  if (name == "avx512") return dnnl_cpu_isa_avx512_core;
  if (name == "avx2") return dnnl_cpu_isa_avx2;
  return dnnl_cpu_isa_all;
}

/// The set that oneDNN uses now; asking fixes it.
std::string effective_set() {
  if (portable_kernels()) return "portable";
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  if (isa == dnnl_cpu_isa_avx512_core) return "avx512";
  if (isa == dnnl_cpu_isa_avx2) return "avx2";
  return "isa-" + std::to_string(static_cast<int>(isa));  // oneDNN was used before anybody pinned it
}

}  // namespace

std::string choose_instruction_set(const std::string& name, const std::vector<std::string>& available) {
  if (name != "portable" && name != "avx2" && name != "avx512" && name != "best")
    throw std::invalid_argument("unknown instruction set '" + name + "'; known: portable, avx2, avx512, best");
  if (name == "best") return available.front();
  if (std::find(available.begin(), available.end(), name) != available.end()) return name;
  throw std::runtime_error("this machine has no " + name + "; its best instruction set is " + available.front());
}

void pin_instruction_set(const std::string& name) {
  const std::string wanted = choose_instruction_set(name, machine_instruction_sets());
  if (dnnl_set_max_cpu_isa(limit_of(wanted)) == dnnl_success) {
    portable_pinned = wanted == "portable";
    return;
  }
  const std::string in_use = effective_set();
  if (in_use != wanted)
    throw std::runtime_error("too late to pin the instruction set to " + wanted + ": this process already computes " +
                             "with " + in_use + "; pin before the first network is made");
}

bool portable_kernels() {
#if defined(__x86_64__)
  return portable_pinned;
#else
  return true;  // oneDNN 2.6 has only reference convolutions there
#endif
}

std::string kernel_set() {
  dnnl_set_max_cpu_isa(limit_of(machine_instruction_sets().front()));  // has no effect after a pin or the first use
  if (portable_kernels()) return kPortableSet;
  const dnnl_version_t* version = dnnl_version();
  return effective_set() + " oneDNN-" + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace anybit
