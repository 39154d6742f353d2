#include "server/client_permutation.h"

#include <cassert>
#include <utility>

namespace anybit {

ClientPermutation::ClientPermutation(const DrawName& name, std::uint32_t clients) : clients_(clients) {
  while ((std::uint64_t{1} << (2 * half_bits_)) < clients) ++half_bits_;
  Stream stream(name);
  for (std::uint32_t& key : keys_) key = stream.bits();
}

std::uint32_t ClientPermutation::client(std::uint32_t place) const {
  assert(place < clients_);
  std::uint64_t value = place;
  do value = forward(value);
  while (value >= clients_);
  return static_cast<std::uint32_t>(value);
}

std::uint32_t ClientPermutation::place(std::uint32_t client) const {
  assert(client < clients_);
  std::uint64_t value = client;
  do value = backward(value);
  while (value >= clients_);
  return static_cast<std::uint32_t>(value);
}

/// A multiply-xorshift hash of a half, with the constants of MurmurHash3's finaliser (Appleby, public domain).
std::uint32_t ClientPermutation::mix(std::uint32_t half, int round) const {
  std::uint32_t hash = half ^ keys_[static_cast<std::size_t>(round)];
  hash = (hash ^ (hash >> 16U)) * 0x85ebca6bU;
  hash = (hash ^ (hash >> 13U)) * 0xc2b2ae35U;
  hash ^= hash >> 16U;
  return hash & ((std::uint32_t{1} << half_bits_) - 1);
}

std::uint64_t ClientPermutation::forward(std::uint64_t value) const {
  auto left = static_cast<std::uint32_t>(value >> half_bits_);
  auto right = static_cast<std::uint32_t>(value & ((std::uint64_t{1} << half_bits_) - 1));
  for (int round = 0; round < kRounds; ++round) {
    left ^= mix(right, round);
    std::swap(left, right);
  }
  return (std::uint64_t{left} << half_bits_) | right;
}

std::uint64_t ClientPermutation::backward(std::uint64_t value) const {
  auto left = static_cast<std::uint32_t>(value >> half_bits_);
  auto right = static_cast<std::uint32_t>(value & ((std::uint64_t{1} << half_bits_) - 1));
  for (int round = kRounds - 1; round >= 0; --round) {
    std::swap(left, right);
    left ^= mix(right, round);
  }
  return (std::uint64_t{left} << half_bits_) | right;
}

}  // namespace anybit
