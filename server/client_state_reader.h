#pragma once

#include <cstddef>
#include <span>

#include "server/coordinator.h"

namespace anybit {

/// What the clients of one process keep between their rounds, wherever it lies: read client by client, so that it need
/// never be in memory all at once.
class ClientStateReader {
 public:
  virtual ~ClientStateReader() = default;
  /// Of each client; 0: they keep nothing.
  virtual std::size_t floats() const = 0;
  /// Fills `values` with what a client kept after the last round in which it counted.
  virtual void read(const CountedClient& client, std::span<float> values) const = 0;
};

}  // namespace anybit
