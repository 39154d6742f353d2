#include "data/held_data.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace anybit {
namespace {

/// Views into `holding`, which must have come to rest.
void describe(FederatedData& data, const Dataset& set, const Holding& holding, std::uint32_t clients) {
  data.shape = set.shape;
  data.classes = set.classes;
  data.normalization = set.normalization;
  data.checksums = set.checksums;
  data.clients = clients;
  data.proxy = {set.shape, holding.pool.pixels, holding.pool.labels, holding.proxy};
  data.validation = {set.shape, holding.pool.pixels, holding.pool.labels, holding.validation};
  data.test = holding.test.view();
}

void expect_client(std::uint32_t client, std::uint32_t clients) {
  if (client >= clients) throw std::out_of_range("there is no client " + std::to_string(client));
}

}  // namespace

PooledData::PooledData(const Dataset& set, Holding holding, Assignment assignment)
    : holding_(std::move(holding)), assignment_(std::move(assignment)) {
  describe(*this, set, holding_, static_cast<std::uint32_t>(assignment_.starts.size() - 1));
}

std::uint32_t PooledData::examples(std::uint32_t client) const {
  expect_client(client, clients);
  return static_cast<std::uint32_t>(assignment_.size(client));
}

ExamplesView PooledData::client(std::uint32_t client, ExamplePool&) const {
  expect_client(client, clients);
  return {shape, holding_.pool.pixels, holding_.pool.labels, assignment_.of(client)};
}

WriterData::WriterData(const Dataset& set, Holding holding, std::uint32_t writers)
    : holding_(std::move(holding)), writers_(set.writers) {
  describe(*this, set, holding_, writers);
}

std::uint32_t WriterData::examples(std::uint32_t client) const {
  expect_client(client, clients);
  return writers_->examples();
}

ExamplesView WriterData::client(std::uint32_t client, ExamplePool& scratch) const { return draw(client, 0, scratch); }

ExamplesView WriterData::unseen(std::uint32_t client, ExamplePool& scratch) const {
  return draw(client, writers_->examples(), scratch);
}

ExamplesView WriterData::draw(std::uint32_t client, std::uint32_t first, ExamplePool& scratch) const {
  expect_client(client, clients);
  const std::size_t count = writers_->examples();
  scratch.shape = shape;
  scratch.pixels.resize(count * shape.size());
  scratch.labels.resize(count);
  if (scratch.indices.size() != count) scratch.indices = all_indices(count);
  writers_->draw(client, first, scratch.pixels, scratch.labels);
  return scratch.view();
}

}  // namespace anybit
