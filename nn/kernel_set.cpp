#include "nn/kernel_set.h"

#include <dnnl.h>

#include <Eigen/Core>
#include <atomic>
#include <stdexcept>

namespace anybit {
namespace {

/// Set by the pin, beside oneDNN's own process-wide setting.
std::atomic<bool> portable_pinned{false};

bool machine_has(const std::string& name) {
  if (name == "portable") return true;
#if defined(__x86_64__)
  if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (name == "avx512")
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return false;
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
  if (portable_kernels()) return "portable";
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  if (isa == dnnl_cpu_isa_avx512_core) return "avx512";
  if (isa == dnnl_cpu_isa_avx2) return "avx2";
  return "isa-" + std::to_string(static_cast<int>(isa));  // oneDNN was used before anybody pinned it
}

}  // namespace

void pin_instruction_set(const std::string& name) {
  if (name != "portable" && name != "avx2" && name != "avx512" && name != "best")
    throw std::invalid_argument("unknown instruction set '" + name + "'; known: portable, avx2, avx512, best");
  const std::string wanted = name == "best" ? best_of_machine() : name;
  if (!machine_has(wanted))
    throw std::runtime_error("this machine has no " + wanted + "; its best instruction set is " + best_of_machine());
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
  dnnl_set_max_cpu_isa(limit_of(best_of_machine()));  // has no effect after a pin or the first use
  if (portable_kernels())
    return "portable Eigen-" + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
           std::to_string(EIGEN_MINOR_VERSION);
  const dnnl_version_t* version = dnnl_version();
  return effective_set() + " oneDNN-" + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace anybit
