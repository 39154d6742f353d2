// As wide as the compiler's baseline is.
#if defined(__AVX2__)
#define ANYBIT_LANES 8
#else
#define ANYBIT_LANES 4
#endif
#include "nn/kernels/bodies/table.h"

namespace anybit {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = kTable;

}  // namespace anybit
