#pragma once

// The packing buffers of Eigen's products go to the stack up to this size, so a step allocates nothing: 2 MiB hold the
// widest dense layer's, given the cache sizes below. Include in .cpp files only, before anything else of Eigen.
#define EIGEN_STACK_ALLOCATION_LIMIT (2 << 20)
#include <Eigen/Core>

namespace anybit {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;
using Map = Eigen::Map<Matrix>;
using RowMap = Eigen::Map<Eigen::RowVectorXf>;
using ConstRowMap = Eigen::Map<const Eigen::RowVectorXf>;

/// Eigen cuts a product by the size of the processor's caches, and so adds in another order on another machine. Fixed
/// sizes make the same bits everywhere (DESIGN D6).
inline void fix_blocking() {
  static const bool fixed = [] {
    Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 2 << 20);
    return true;
  }();
  static_cast<void>(fixed);
}

}  // namespace anybit
