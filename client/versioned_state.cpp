#include "client/versioned_state.h"

#include <algorithm>
#include <cassert>

namespace anybit {

void VersionedState::copy_current(std::span<float> values) const {
  const FloatBuffer& kept = current().values;
  assert(kept.empty() || kept.size() == values.size());
  if (kept.empty())
    std::ranges::fill(values, 0.0F);
  else
    std::ranges::copy(kept, values.begin());
}

void VersionedState::propose(std::uint32_t round, std::span<const float> values) {
  proposal(round).assign(values.begin(), values.end());
}

}  // namespace anybit
