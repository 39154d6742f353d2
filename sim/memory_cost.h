#pragma once

#include "server/federation.h"

namespace anybit {

/// The bytes that a run has in memory at most: its peak resident size. Of what is allocated once per thread, all
/// threads together. All parts but the program are counted, buffer by buffer, as if they all were there at once; they
/// nearly are, because buffers are kept. Left out: what the allocator wastes between them and the threads' stacks. A
/// test holds the total to within 15 % of what the kernel measured, for small and bigger networks, in memory and over
/// TCP. Seen are as much as was measured to 4 % more, and 8 % more where ranges are searched.
struct MemoryCost {
  double data = 0;        // examples that stay, with their index lists
  double server = 0;      // global model, exact sum, strategy state; how far older versions are off
  double messages = 0;    // parameters on their way, of all versions that are at work; updates that wait their turn
  double training = 0;    // workspaces and parameter buffers, those of chunks where a client may be cut, drawn examples
  double evaluation = 0;  // quantized copies, room to fit ranges, inference workspaces, quantizers of the method's own
  double checkpoint = 0;  // the copy that is written, with one client's state at a time
  double clients = 0;     // of what they keep between their rounds what stays in memory; the one that a thread plays
  /// Code of the program and its libraries, prepared kernels (oneDNN keeps them once for all threads), everything
  /// small: what this process has in memory besides the data, measured after each kernel of the network was made and
  /// run once.
  double program = 0;

  double total() const { return data + server + messages + training + evaluation + checkpoint + clients + program; }
};

/// Makes workspaces and runs one batch of zeros through the network, so it takes the time of a training step, and the
/// memory of one thread. In a process that has run other networks, their kernels count, too.
MemoryCost memory_cost(const Federation& federation, int threads);

}  // namespace anybit
