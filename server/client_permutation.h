#pragma once

#include <array>
#include <cstdint>

#include "nn/random.h"

namespace anybit {

/// All clients in a random order that is computed, not stored: a keyed permutation of 0 ... clients-1, a Feistel
/// network on the least even number of bits that holds them, walked until it ends among them (cycle walking: Black and
/// Rogaway, Ciphers with arbitrary finite domains, CT-RSA 2002). Both directions cost a few rounds, so who looks for
/// the first clients of the order that can be reached need not keep those that cannot, and a few candidates are put in
/// order without looking at all others. Near to uniform: 8 rounds with keys from a named draw.
class ClientPermutation {
 public:
  ClientPermutation(const DrawName& name, std::uint32_t clients);

  /// The client at a place of the order.
  std::uint32_t client(std::uint32_t place) const;
  /// The place of a client.
  std::uint32_t place(std::uint32_t client) const;

 private:
  static constexpr int kRounds = 8;

  std::uint32_t mix(std::uint32_t half, int round) const;
  std::uint64_t forward(std::uint64_t value) const;
  std::uint64_t backward(std::uint64_t value) const;

  std::uint32_t clients_;
  int half_bits_ = 1;
  std::array<std::uint32_t, kRounds> keys_;
};

}  // namespace anybit
