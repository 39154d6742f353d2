#include "server/pace_steering.h"

#include <algorithm>
#include <utility>

#include "nn/random.h"

namespace anybit {

void PaceSteering::note_update(double seconds) { slowest_ = std::max(slowest_, seconds); }

void PaceSteering::note_round() {
  told_.clear();
  const double took = std::exchange(slowest_, 0);
  constexpr double kNewShare = 0.2;
  if (took > 0) expected_ = expected_ == 0 ? took : (1 - kNewShare) * expected_ + kNewShare * took;
}

std::optional<double> PaceSteering::send_away(std::uint32_t round, std::uint32_t client) {
  if (part_ == 0 || expected_ == 0 || !told_.insert(client).second) return std::nullopt;
  away_.insert(client);
  Stream stream({.seed = seed_, .purpose = Purpose::kPace, .round = round, .client = client});
  return std::min(longest_, stream.uniform() * part_ * expected_);
}

}  // namespace anybit
