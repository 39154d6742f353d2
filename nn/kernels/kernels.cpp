#include "nn/kernels/kernels.h"

#include <string_view>

#include "nn/kernel_set.h"

namespace anybit {

extern const Kernels kPortableKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

const Kernels& kernels_of([[maybe_unused]] const char* instruction_set) {
#if defined(__x86_64__)
  if (std::string_view(instruction_set) == "avx512") return kAvx512Kernels;
  if (std::string_view(instruction_set) == "avx2") return kAvx2Kernels;
#endif
  return kPortableKernels;
}

const Kernels& kernels() {
  static const Kernels& chosen = [&]() -> const Kernels& {
    const std::string set = kernel_set();  // "avx512 oneDNN-2.6.3"
    return kernels_of(set.substr(0, set.find(' ')).c_str());
  }();
  return chosen;
}

}  // namespace anybit
