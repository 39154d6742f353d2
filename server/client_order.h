#pragma once

#include <cstdint>
#include <unordered_map>

#include "nn/random.h"

namespace anybit {

/// All clients in a uniformly random order, drawn one at a time: a Fisher-Yates shuffle of 0 ... clients-1 that stores
/// only the positions it has touched. k clients cost O(k) time and memory, whatever their number; who needs a
/// replacement, or skips a client that is away, goes on drawing.
class ClientOrder {
 public:
  ClientOrder(const DrawName& name, std::uint32_t clients) : stream_(name), clients_(clients) {}

  std::uint32_t drawn() const { return drawn_; }
  bool done() const { return drawn_ == clients_; }
  /// The next client; never one that was drawn before. Not after done().
  std::uint32_t next();

 private:
  Stream stream_;
  std::uint32_t clients_;
  std::uint32_t drawn_ = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> moved_;  // position -> client; absent: position itself
};

}  // namespace anybit
