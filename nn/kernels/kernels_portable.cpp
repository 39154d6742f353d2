#define ANYBIT_LANES 4
#include "nn/kernels/bodies/table.h"

namespace anybit {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = kTable;

}  // namespace anybit
