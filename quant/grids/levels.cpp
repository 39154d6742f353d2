#include "quant/grids/levels.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace anybit {

LevelsGrid::LevelsGrid(std::vector<float> levels) : levels_(std::move(levels)) {
  if (levels_.size() < 2) throw std::invalid_argument("a grid of levels needs at least two of them");
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const bool ascends = i == 0 || levels_[i - 1] < levels_[i];
    if (!std::isfinite(levels_[i]) || !ascends) throw std::invalid_argument("levels must be finite and ascending");
    if (i > 0) thresholds_.push_back(levels_[i - 1] + (levels_[i] - levels_[i - 1]) * 0.5F);
  }
}

int LevelsGrid::encode(float x) const {
  return static_cast<int>(std::lower_bound(thresholds_.begin(), thresholds_.end(), x) - thresholds_.begin());
}

bool LevelsGrid::has_zero() const { return std::find(levels_.begin(), levels_.end(), 0.0F) != levels_.end(); }

bool LevelsGrid::uniform() const {
  const float step = levels_[1] - levels_[0];
  for (std::size_t i = 2; i < levels_.size(); ++i)
    if (levels_[i] - levels_[i - 1] != step) return false;
  return true;
}

}  // namespace anybit
