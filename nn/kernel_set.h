#pragma once

#include <string>

namespace anybit {

/// Pins the instruction set of oneDNN for this process ("avx2", "avx512" or "best"). Must come before the first
/// network is made. Throws std::runtime_error where the machine lacks the set or it is too late.
void pin_instruction_set(const std::string& name);

/// What decides the bits of a run: instruction set in use and oneDNN version, e.g. "avx512 oneDNN-2.6.3".
std::string kernel_set();

}  // namespace anybit
