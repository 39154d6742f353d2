#define ANYBIT_LANES 16
#include "nn/kernels/bodies/table.h"

namespace anybit {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = kTable;

}  // namespace anybit
