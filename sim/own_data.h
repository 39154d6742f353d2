#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "client/local_data.h"
#include "data/federated_data.h"

namespace anybit {

/// Federated data in which some clients train on examples of their own instead of those that the scenario deals out to
/// them, as anybit-client does without --shard. How many examples a client is dealt stays what it was: the server
/// plans by that.
class OwnData final : public FederatedData {
 public:
  using Clients = std::map<std::uint32_t, LocalData>;

  OwnData(std::unique_ptr<const FederatedData> dealt, Clients own);

  std::uint32_t examples(std::uint32_t client) const override { return dealt_->examples(client); }
  bool all_alike() const override { return dealt_->all_alike(); }
  ExamplesView client(std::uint32_t client, ExamplePool& scratch) const override;

 private:
  std::unique_ptr<const FederatedData> dealt_;
  Clients own_;
};

}  // namespace anybit
