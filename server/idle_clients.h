#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "server/coordinator.h"

namespace anybit {

/// Who can be asked next: a draw for each task among the clients that are idle and can be reached. While there are many
/// of those, it walks the task's order until it meets one, and keeps nothing. Once nobody was found it remembers when
/// the next ones can be reached, as many as `remembered` and a thousand, and goes by them alone up to there: so a
/// morning on which they come one by one costs one look at everybody, not one for each.
class IdleClients {
 public:
  using IsIdle = std::function<bool(std::uint32_t client)>;

  /// Borrows the plan.
  IdleClients(const FederationPlan& plan, std::uint32_t remembered);

  /// The first of the order of the task with this number that is idle and can be reached; nothing where nobody is.
  std::optional<std::uint32_t> choose(std::uint32_t number, double now, const IsIdle& is_idle);
  /// Where choose() has found nobody: when somebody can be reached who is idle now; infinity: never.
  double next_turn() const;
  /// A client is idle again.
  void free(std::uint32_t client);

 private:
  using Turn = std::pair<double, std::uint32_t>;  // from when on, and who

  std::optional<std::uint32_t> choose_known(std::uint32_t number, double now, const IsIdle& is_idle);
  void remember_turns(double now, const IsIdle& is_idle);
  void forget();

  const FederationPlan& plan_;
  const std::size_t remembered_;
  /// Up to then nobody can be idle and within reach but those in `coming_` and `known_`; nothing: it is not known.
  std::optional<double> known_until_;
  std::set<Turn> coming_;             // idle, out of reach before
  std::vector<std::uint32_t> known_;  // freed or come since: to be looked at
};

}  // namespace anybit
