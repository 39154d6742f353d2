#pragma once

#include <string>

namespace anybit {

/// Pins the instruction set of oneDNN for this process: "avx2", "avx512" (foundation, BW, DQ and VL, without VNNI and
/// later) or "best", the last of them that the machine has. Must come before anything else touches oneDNN: a network's
/// workspace or kernel_set(). Pinning the same set again is allowed. Throws std::invalid_argument for an unknown name,
/// std::runtime_error where the machine lacks the set or it is too late.
void pin_instruction_set(const std::string& name);

/// What decides the bits of a run: instruction set in use and oneDNN version, e.g. "avx512 oneDNN-2.6.3". Without a pin
/// this pins "best", so a run is never on a set that cannot be asked for by name.
std::string kernel_set();

}  // namespace anybit
