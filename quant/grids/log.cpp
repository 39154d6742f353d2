#include "quant/grids/log.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "nn/arithmetic.h"

namespace anybit {

int LogGrid::encode(float x) const {
  const double magnitude = std::fabs(static_cast<double>(x));
  if (!(magnitude > 0.0)) return 0;
  const double steps = fixed_log2(magnitude / static_cast<double>(floor)) / fixed_log2(static_cast<double>(base));
  const double k = std::min(std::nearbyint(steps), static_cast<double>(magnitudes - 1));
  if (k < 0.0) return 0;
  return x < 0.0F ? -static_cast<int>(k) - 1 : static_cast<int>(k) + 1;
}

float LogGrid::decode(int code) const {
  if (code == 0) return 0.0F;
  const double power = fixed_exp2(fixed_log2(static_cast<double>(base)) * (std::abs(code) - 1));
  const auto magnitude = static_cast<float>(static_cast<double>(floor) * power);
  return code < 0 ? -magnitude : magnitude;
}

}  // namespace anybit
