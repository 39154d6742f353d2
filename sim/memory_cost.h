#pragma once

#include "sim/federation.h"

namespace anybit {

/// The bytes that a run holds at most, the program's own code and libraries left out. Of what is allocated once per
/// thread, all threads together.
struct MemoryCost {
  double data = 0;        // examples that stay, with their index lists
  double server = 0;      // global model, exact sum, strategy state
  double messages = 0;    // parameters on their way, updates that wait for their turn
  double training = 0;    // workspaces and parameter buffers, drawn examples
  double evaluation = 0;  // quantized copies, inference workspaces
  double checkpoint = 0;  // the copy that is written

  double libraries = 0;   // prepared kernels and their scratch, what the allocator wastes: as measured, not counted

  double total() const { return data + server + messages + training + evaluation + checkpoint + libraries; }
};

MemoryCost memory_cost(const Federation& federation, int threads);

}  // namespace anybit
