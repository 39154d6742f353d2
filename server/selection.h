#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "server/client_order.h"

namespace anybit {

/// How a client of a round stands. Nobody goes back.
enum class Standing : std::uint8_t { kOutstanding, kCounted, kFailed };

/// The clients of one round: those that were selected at its beginning, and those that came in the place of lost ones.
/// Who they are is a pure function of the draw's name: the first ones of its ClientOrder, which a replacement goes on
/// with, so nobody is in a round twice. Costs O(selected), whatever the number of clients.
class Selection {
 public:
  Selection() = default;
  Selection(const DrawName& name, std::uint32_t clients, std::uint32_t selected);

  /// The clients selected at the beginning, ascending.
  const std::vector<std::uint32_t>& selected() const { return selected_; }
  /// How a client stands; null where it is not in the round. Good until the next replace().
  Standing* find(std::uint32_t client);
  /// Adds the next client of the order, outstanding; nothing where all clients are in the round.
  std::optional<std::uint32_t> replace();
  /// Those who stand so, ascending.
  std::vector<std::uint32_t> clients(Standing standing) const;

 private:
  DrawName name_;
  std::uint32_t clients_ = 0;
  std::vector<std::uint32_t> selected_;
  std::vector<Standing> standings_;  // beside it
  std::map<std::uint32_t, Standing> replacements_;
  std::optional<ClientOrder> order_;  // drawn again up to where it ended, once somebody is replaced
};

}  // namespace anybit
