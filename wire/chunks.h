#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "nn/network.h"
#include "wire/message.h"

namespace anybit {

// Chunks (DESIGN D3): the batches of a client that holds most of its round are cut into runs of samples whose gradients
// are worked out apart, by as many threads as there are, and added up in the order of the chunks. That changes the
// order of float sums, so who is cut and into how many is a pure function of the round's plan, never of threads; the
// task says it, and whoever trains obeys.

/// Whether a batch's gradient is the sum of its chunks': not where samples reach each other's outputs (BatchNorm), or a
/// pass moves running statistics of all samples that it sees (its moments, a method's ranges of activations).
bool can_be_cut(const Network& network, const Layout& layout);

/// Into how many chunks a batch of this network is worth cutting: 1, 2, 4 or kMostChunks, each with enough samples to
/// outweigh what a chunk costs by itself.
std::uint32_t chunks_of_batch(const Network& network, const Layout& layout, int batch);

/// Which client of a round is cut, as an index into the cohort's numbers of examples: the one that holds more than half
/// of all, and twice as many as any other. Then two threads that share it, and after it the others, are done before two
/// that play one client each.
std::optional<std::size_t> client_to_cut(std::span<const std::uint32_t> examples);

/// Where chunk `index` of `chunks` begins in a batch of `live` samples, and so where the one before it ends: sizes
/// differ by at most one.
inline std::size_t chunk_begin(std::size_t live, std::size_t chunks, std::size_t index) {
  return live * index / chunks;
}

}  // namespace anybit
