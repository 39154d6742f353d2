#pragma once

#include "nn/description.h"

namespace anybit {

/// Whether a convolution from `input` to `output` is computed by Winograd's minimal filtering (kernels/winograd.h): one
/// of 3 x 3 and stride 1 whose channels come in groups of 32, on both sides, where that halves the multiplications (not
/// with outputs of 1 x 1, 2 x 2 or 5 x 5 pixels).
bool takes_winograd(const Convolution& convolution, const Shape& input, const Shape& output);

/// Multiplications of its matrix products over those of the direct convolution: a quarter, and what tiles compute
/// beyond the edges.
double winograd_share(const Shape& output);

/// From now on this process computes every convolution directly, as pin_instruction_set() is for a whole process. Must
/// come before the first workspace.
void pin_direct_convolutions();

}  // namespace anybit
