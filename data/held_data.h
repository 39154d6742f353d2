#pragma once

#include <memory>

#include "data/datasets/dataset.h"
#include "data/federated_data.h"
#include "data/partitions/partition.h"

namespace anybit {

/// What both kinds of federated data hold as bytes: a pool with the server's shares in it, and the test examples.
struct Holding {
  ExamplePool pool;  // `indices` is not used: the lists below are
  std::vector<std::uint32_t> proxy;
  std::vector<std::uint32_t> validation;
  ExamplePool test;
};

/// Clients that hold parts of the pool.
class PooledData final : public FederatedData {
 public:
  PooledData(const Dataset& set, Holding holding, Assignment assignment);

  std::uint32_t examples(std::uint32_t client) const override;
  ExamplesView client(std::uint32_t client, ExamplePool& scratch) const override;

 private:
  Holding holding_;
  Assignment assignment_;
};

/// Clients that are writers: drawn when asked for, so memory does not depend on how many there are.
class WriterData final : public FederatedData {
 public:
  WriterData(const Dataset& set, Holding holding, std::uint32_t writers);

  std::uint32_t examples(std::uint32_t client) const override;
  bool all_alike() const override { return true; }
  ExamplesView client(std::uint32_t client, ExamplePool& scratch) const override;
  ExamplesView unseen(std::uint32_t client, ExamplePool& scratch) const override;

 private:
  /// A client's worth of its writer's examples, from this one on.
  ExamplesView draw(std::uint32_t client, std::uint32_t first, ExamplePool& scratch) const;

  Holding holding_;
  std::shared_ptr<const Writers> writers_;
};

}  // namespace anybit
