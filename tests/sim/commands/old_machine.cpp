// Linked with the program's files instead of nn/instruction_sets.cpp: anybit-sim on a machine without AVX-512.
#include "nn/kernel_set.h"

namespace anybit {

std::vector<std::string> machine_instruction_sets() { return {"avx2", "portable"}; }

}  // namespace anybit
