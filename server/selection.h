#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "server/client_order.h"

namespace anybit {

/// How a client of a round stands. Nobody goes back.
enum class Standing : std::uint8_t { kOutstanding, kCounted, kDropped };

/// Whether a client can be reached now.
using IsReachable = std::function<bool(std::uint32_t client)>;

/// The clients of one round: those that were selected at its beginning, and those that came in the place of lost ones.
/// Who they are is a pure function of the draw's name and of who can be reached: the first ones of its ClientOrder that
/// can, with which a replacement goes on, so nobody is in a round twice. Costs O(selected / share that can be reached),
/// whatever the number of clients.
class Selection {
 public:
  Selection() = default;
  /// Fewer than `selected` where not so many can be reached.
  Selection(const DrawName& name, std::uint32_t clients, std::uint32_t selected, const IsReachable& reachable);

  /// The clients selected at the beginning, ascending.
  const std::vector<std::uint32_t>& selected() const { return selected_; }
  /// How a client stands; null where it is not in the round. Good until the next replace().
  Standing* find(std::uint32_t client);
  /// Adds the next client of the order that can be reached, outstanding; nothing where there is none.
  std::optional<std::uint32_t> replace(const IsReachable& reachable);
  /// Those who stand so, ascending.
  std::vector<std::uint32_t> clients(Standing standing) const;

 private:
  DrawName name_;
  std::uint32_t clients_ = 0;
  std::uint32_t drawn_ = 0;  // of the order, at the beginning
  std::vector<std::uint32_t> selected_;
  std::vector<Standing> standings_;  // beside it
  std::map<std::uint32_t, Standing> replacements_;
  std::optional<ClientOrder> order_;  // drawn again up to where it ended, once somebody is replaced
};

}  // namespace anybit
