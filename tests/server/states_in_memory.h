#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "server/client_state_reader.h"

namespace anybit {

/// What clients keep, one behind the other.
class StatesInMemory final : public ClientStateReader {
 public:
  StatesInMemory(std::vector<CountedClient> counted, std::vector<float> values)
      : counted_(std::move(counted)), values_(std::move(values)) {}

  std::size_t floats() const override { return counted_.empty() ? 0 : values_.size() / counted_.size(); }
  void read(const CountedClient& client, std::span<float> values) const override {
    const auto found = std::ranges::find(counted_, client.client, &CountedClient::client);
    const auto index = static_cast<std::size_t>(found - counted_.begin());
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(index * floats()), floats(), values.begin());
  }

 private:
  std::vector<CountedClient> counted_;
  std::vector<float> values_;
};

/// What the clients in `counted` keep, one behind the other; nothing where there is no reader.
inline std::vector<float> all_states(const ClientStateReader* states, const std::vector<CountedClient>& counted) {
  std::vector<float> all;
  if (states == nullptr || states->floats() == 0) return all;
  std::vector<float> one(states->floats());
  for (const CountedClient& client : counted) {
    states->read(client, one);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace anybit
