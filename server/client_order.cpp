#include "server/client_order.h"

#include <cassert>

namespace anybit {

std::uint32_t ClientOrder::next() {
  assert(!done());
  const std::uint32_t position = drawn_ + stream_.below(clients_ - drawn_);
  const auto at = [this](std::uint32_t place) {
    const auto found = moved_.find(place);
    return found == moved_.end() ? place : found->second;
  };
  const std::uint32_t client = at(position);
  moved_[position] = at(drawn_);
  moved_.erase(drawn_);
  ++drawn_;
  return client;
}

}  // namespace anybit
