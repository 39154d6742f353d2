#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

namespace anybit {

/// Pace steering on a network (Bonawitz et al., Towards federated learning at scale: system design, MLSys 2019): a
/// client that is not needed now is sent away and comes again within a part of the round that is expected, each after a
/// time of its own. So nobody waits with an open line, nor do all come at once. Times are seconds by the wall clock:
/// nothing of them reaches a result.
class PaceSteering {
 public:
  /// `part` of an expected round: 0 to 1; 0: nobody is sent away. `longest`: nobody is for longer.
  PaceSteering(double part, double longest, std::uint64_t seed) : part_(part), longest_(longest), seed_(seed) {}

  /// An update that counts came so long after its task had been sent.
  void note_update(double seconds);
  /// A round is over: what its slowest update took is a fifth of what is expected of the next, and all of it the first
  /// time.
  void note_round();
  /// How long a round is expected to take; 0: not known yet.
  double expected() const { return expected_; }

  /// Sends the client away: within this time it is to be back, drawn by (seed, round, client). Nothing where it stays,
  /// for it was sent away since the last round was over, or what to expect is not known yet.
  std::optional<double> send_away(std::uint32_t round, std::uint32_t client);
  /// It has come, whether it was sent away or not. True where it was.
  bool come_back(std::uint32_t client) { return away_.erase(client) > 0; }
  /// Clients that were sent away and are not back.
  std::size_t away() const { return away_.size(); }

 private:
  const double part_;
  const double longest_;
  const std::uint64_t seed_;
  double expected_ = 0;
  double slowest_ = 0;            // update of this round
  std::set<std::uint32_t> told_;  // since the last round was over
  std::set<std::uint32_t> away_;
};

}  // namespace anybit
