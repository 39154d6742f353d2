#include "nn/kernel_set.h"

#include <dnnl.h>

#include <stdexcept>

namespace anybit {
namespace {

bool machine_has(const std::string& name) {
#if defined(__x86_64__)
  if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (name == "avx512")
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return false;
#else
  return name == "portable";
#endif
}

std::string best_of_machine() {
  for (const char* name : {"avx512", "avx2"})
    if (machine_has(name)) return name;
  return "portable";
}

dnnl_cpu_isa_t limit_of(const std::string& name) {
  if (name == "avx512") return dnnl_cpu_isa_avx512_core;
  if (name == "avx2") return dnnl_cpu_isa_avx2;
  return dnnl_cpu_isa_all;
}

/// The set that oneDNN uses now; asking fixes it.
std::string effective_set() {
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  if (isa == dnnl_cpu_isa_avx512_core) return "avx512";
  if (isa == dnnl_cpu_isa_avx2) return "avx2";
#if defined(__x86_64__)
  return "isa-" + std::to_string(static_cast<int>(isa));  // oneDNN was used before anybody pinned it
#else
  return "portable";
#endif
}

}  // namespace

void pin_instruction_set(const std::string& name) {
  if (name != "avx2" && name != "avx512" && name != "best")
    throw std::invalid_argument("unknown instruction set '" + name + "'; known: avx2, avx512, best");
  const std::string wanted = name == "best" ? best_of_machine() : name;
  if (!machine_has(wanted))
    throw std::runtime_error("this machine has no " + wanted + "; its best instruction set is " + best_of_machine());
  if (dnnl_set_max_cpu_isa(limit_of(wanted)) == dnnl_success) return;
  const std::string in_use = effective_set();
  if (in_use != wanted)
    throw std::runtime_error("too late to pin the instruction set to " + wanted + ": this process already computes " +
                             "with " + in_use + "; pin before the first network is made");
}

std::string kernel_set() {
  dnnl_set_max_cpu_isa(limit_of(best_of_machine()));  // has no effect after a pin or the first use
  const dnnl_version_t* version = dnnl_version();
  return effective_set() + " oneDNN-" + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace anybit
