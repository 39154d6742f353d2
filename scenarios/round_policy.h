#pragma once

#include <cmath>
#include <cstdint>

namespace anybit {

/// How the server waits for a synchronous round (DESIGN D8; Bonawitz et al., Towards federated learning at scale:
/// system design, MLSys 2019). With the defaults it waits for everybody, however long that takes.
struct RoundPolicy {
  double over_selection = 1;   // clients selected, as a multiple of the cohort that counts; 1 to 10
  double deadline = 0;         // seconds from a round's beginning to its end at the latest; 0: none
  std::uint32_t minimum = 1;   // updates that make a version; with fewer the round is abandoned
  double replace_until = 0;    // lost clients are replaced up to this fraction of the deadline; 0 to 1
  std::uint32_t give_up = 10;  // abandoned rounds in a row after which the federation stops
  double pace = 0;             // who is not needed comes back within this part of an expected round; 0 to 1
  bool operator==(const RoundPolicy&) const = default;
};

/// The clients that a round selects: ceil(cohort x over_selection). A product that only rounding puts above a whole
/// number (1.1 x 50 in binary) is that number.
inline std::uint64_t selected_clients(std::uint64_t cohort, double over_selection) {
  constexpr double kRounding = 1e-6;
  return static_cast<std::uint64_t>(std::ceil(static_cast<double>(cohort) * over_selection - kRounding));
}

}  // namespace anybit
