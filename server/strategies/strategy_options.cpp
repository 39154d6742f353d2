#include "server/strategies/strategy_options.h"

#include <cmath>

namespace anybit {

double above_zero(const Options& options, std::string_view key) {
  const double value = options.number(key);
  options.require(std::isfinite(value) && value > 0, key, "must be a number above 0");
  return value;
}

double below_one(const Options& options, std::string_view key) {
  const double value = options.number(key);
  options.require(value >= 0 && value < 1, key, "must be a number from 0 to below 1");
  return value;
}

}  // namespace anybit
