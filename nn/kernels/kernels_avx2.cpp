#define ANYBIT_LANES 8
#include "nn/kernels/bodies/table.h"

namespace anybit {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = kTable;

}  // namespace anybit
