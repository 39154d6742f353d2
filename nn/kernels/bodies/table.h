// All kernels as one instruction set's source has them.
#pragma once

#include "nn/kernels/bodies/elementwise.h"
#include "nn/kernels/bodies/fma_chains.h"
#include "nn/kernels/bodies/max_pool.h"
#include "nn/kernels/bodies/plain_step.h"
#include "nn/kernels/bodies/products.h"
#include "nn/kernels/bodies/winograd.h"

namespace anybit {
namespace {

constexpr Kernels kTable = {
    .lanes = kLanes,
    .fma_chains = fma_chains,
    .add = add,
    .add_relu = add_relu,
    .relu = relu,
    .relu_gradient = relu_gradient,
    .scale_bytes = scale_bytes,
    .plain_step = plain_step,
    .sum_of_rows = sum_of_rows,
    .dots_of_rows = dots_of_rows,
    .max_pool = max_pool,
    .max_pool_gradient = max_pool_gradient,
    .winograd = kWinograd,
};

}  // namespace
}  // namespace anybit
