#pragma once

#include <string>
#include <vector>

namespace anybit {

/// The sets that this machine can run, best first; the last one is "portable".
std::vector<std::string> machine_instruction_sets();

/// The set that `name` asks for on a machine that can run `available` (best first): itself, or the first for "best".
/// Throws std::invalid_argument for an unknown name, std::runtime_error where the machine lacks the set.
std::string choose_instruction_set(const std::string& name, const std::vector<std::string>& available);

/// Pins what convolutions and matrix products run on for this process: oneDNN held to "avx2" or to "avx512"
/// (foundation, BW, DQ and VL, without VNNI and later), "portable" (our own kernels alone), or "best", the best that
/// the machine has. Must come before anything else touches oneDNN: a network's workspace or kernel_set(). Pinning the
/// same set again is allowed. Throws as choose_instruction_set() does for this machine, and std::runtime_error where it
/// is too late.
void pin_instruction_set(const std::string& name);

/// Whether the portable kernels are in use: pinned, or all that this kind of machine has.
bool portable_kernels();

/// What decides the bits of a run: instruction set in use and oneDNN version, e.g. "avx512 oneDNN-2.6.3". Without a pin
/// this pins "best", so a run is never on a set that cannot be asked for by name.
std::string kernel_set();

}  // namespace anybit
