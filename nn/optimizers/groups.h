#pragma once

#include <cstddef>
#include <span>

#include "nn/parameters.h"

namespace anybit {

/// Neighbouring tensors of the buffer that the optimiser treats alike.
struct TensorRun {
  std::size_t offset = 0;
  std::size_t size = 0;
  OptimizerGroup group;
};

/// Calls visit(run) for the longest runs of tensors with equal groups, in order; those with rate 0 are left out.
template <class Visit>
void for_each_run(const Layout& layout, Visit visit) {
  TensorRun run;
  for (const TensorSpec& tensor : layout.tensors()) {
    const bool joins = tensor.group.rate == run.group.rate && tensor.group.decay == run.group.decay;
    if (!joins) {
      if (run.size > 0 && run.group.rate != 0.0F) visit(run);
      run = {tensor.offset, 0, tensor.group};
    }
    run.size += tensor.size;
  }
  if (run.size > 0 && run.group.rate != 0.0F) visit(run);
}

/// Euclidean norm over all trained tensors, in double, in a fixed order.
double gradient_norm(const Layout& layout, std::span<const float> gradients);

/// What gradients are multiplied by so that their norm does not exceed `limit`: min(1, limit / (norm + 1e-6)) as
/// torch.nn.utils.clip_grad_norm_ has it; 1 for limit 0.
float clip_scale(const Layout& layout, std::span<const float> gradients, double limit);

}  // namespace anybit
