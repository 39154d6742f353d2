#include "data/federated_data.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>
#include <utility>

#include "data/held_data.h"
#include "nn/parallel.h"
#include "nn/random.h"

namespace anybit {
namespace {

// Writers that are no client, by number; clients come before all of them. One draws ten examples, so that a share of a
// thousand shows a hundred hands.
constexpr std::uint32_t kTestWriters = 0x80000000U;
constexpr std::uint32_t kProxyWriters = 0xA0000000U;
constexpr std::uint32_t kValidationWriters = 0xC0000000U;
constexpr std::int64_t kMostHeld = 1 << 28;  // fewer than the writers between two of these numbers
constexpr std::size_t kHeldOutExamples = 10;
constexpr std::size_t kTestExamples = 5000;
constexpr std::uint64_t kMostPoolBytes = std::uint64_t{16} << 30U;

/// Draws `count` examples into the pool's places from `begin`: `each` by every writer from `first` on.
void draw_examples(const Writers& writers, std::uint32_t first, std::size_t each, std::size_t begin, std::size_t count,
                   ExamplePool& pool) {
  const std::size_t size = pool.shape.size();
  parallel_for((count + each - 1) / each, hardware_threads(), [&](std::size_t i, int) {
    const std::size_t at = begin + i * each, some = std::min(each, count - i * each);
    writers.draw(first + static_cast<std::uint32_t>(i), 0, std::span(pool.pixels).subspan(at * size, some * size),
                 std::span(pool.labels).subspan(at, some));
  });
}

ExamplePool empty_pool(Shape shape, std::size_t count) {
  ExamplePool pool;
  pool.shape = shape;
  pool.pixels.resize(count * shape.size());
  pool.labels.resize(count);
  return pool;
}

std::vector<std::uint32_t> indices_from(std::size_t begin, std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = static_cast<std::uint32_t>(begin + i);
  return indices;
}

/// Room for the pooled clients, then proxy, then validation; the test examples beside them.
Holding draw_holding(const Scenario& scenario, const Dataset& set, std::size_t pooled) {
  const auto proxy = static_cast<std::size_t>(scenario.data.proxy);
  const auto validation = static_cast<std::size_t>(scenario.data.validation);
  const std::uint64_t total = pooled + proxy + validation;
  if (total > std::numeric_limits<std::uint32_t>::max() || total > kMostPoolBytes / set.shape.size())
    throw ScenarioError(
        scenario.data.where,
        fmt::format("data: {} examples are too many to hold; the partition 'writer' makes each client's "
                    "when it is played",
                    total));
  Holding made;
  const Writers& writers = *set.writers;
  made.pool = empty_pool(set.shape, total);
  draw_examples(writers, 0, writers.examples(), 0, pooled, made.pool);
  draw_examples(writers, kProxyWriters, kHeldOutExamples, pooled, proxy, made.pool);
  draw_examples(writers, kValidationWriters, kHeldOutExamples, pooled + proxy, validation, made.pool);
  made.proxy = indices_from(pooled, proxy);
  made.validation = indices_from(pooled + proxy, validation);
  made.test = empty_pool(set.shape, kTestExamples);
  draw_examples(writers, kTestWriters, kHeldOutExamples, 0, kTestExamples, made.test);
  made.test.indices = all_indices(kTestExamples);
  return made;
}

/// Of the test examples only: they cost nothing more, and what changes the drawing changes them too.
std::string drawn_checksum(const std::string& set, const ExamplePool& test) {
  const uLong pixels = crc32_z(0, test.pixels.data(), test.pixels.size());
  const uLong both = crc32_z(pixels, test.labels.data(), test.labels.size());
  return fmt::format("{}-test {:08x} {}", set, both, test.pixels.size() + test.labels.size());
}

/// Takes the server's shares from the training examples at random; what remains for clients is returned in order.
std::vector<std::uint32_t> hold_out(const Scenario& scenario, Holding& holding) {
  const std::uint64_t held = static_cast<std::uint64_t>(scenario.data.proxy + scenario.data.validation);
  std::vector<std::uint32_t> order = all_indices(holding.pool.labels.size());
  if (held + scenario.data.clients > order.size())
    throw ScenarioError(scenario.data.where,
                        fmt::format("data: proxy, validation and one example for each client take {}, but there are "
                                    "{} training examples",
                                    held + scenario.data.clients, order.size()));
  if (held == 0) return order;
  Stream stream({.seed = scenario.seed, .purpose = Purpose::kHoldOut});
  stream.shuffle(std::span(order));
  const auto after_proxy = order.begin() + scenario.data.proxy;
  const auto after_validation = after_proxy + scenario.data.validation;
  holding.proxy.assign(order.begin(), after_proxy);
  holding.validation.assign(after_proxy, after_validation);
  std::vector<std::uint32_t> rest(after_validation, order.end());
  std::sort(rest.begin(), rest.end());
  return rest;
}

}  // namespace

ExamplesView FederatedData::unseen(std::uint32_t, ExamplePool&) const { return {}; }

std::unique_ptr<FederatedData> load_data(const Scenario& scenario, const std::vector<std::string>& directories,
                                         bool named) {
  const Scenario::Data& data = scenario.data;
  assert(data.clients >= 1 && data.clients <= kTestWriters);  // who reads a scenario refuses more
  assert(data.proxy >= 0 && data.proxy <= kMostHeld && data.validation >= 0 && data.validation <= kMostHeld);
  const Deal deal = partitions().make(data.partition);
  Dataset set = load_set(data.set, {scenario.seed, directories, false, named});
  if (!deal) {
    if (!set.writers)
      throw ScenarioError(data.partition.where,
                          fmt::format("data.partition: '{}' does not say who wrote an example, so it cannot be dealt "
                                      "out by 'writer'; 'iid', 'dirichlet' and 'quantity' can",
                                      data.set.name));
    Holding drawn = draw_holding(scenario, set, 0);
    set.checksums.push_back(drawn_checksum(data.set.name, drawn.test));
    return std::make_unique<WriterData>(set, std::move(drawn), data.clients);
  }

  Holding holding;
  std::vector<std::uint32_t> available;
  if (set.writers) {
    const std::size_t pooled = std::size_t{data.clients} * set.writers->examples();
    holding = draw_holding(scenario, set, pooled);
    set.checksums.push_back(drawn_checksum(data.set.name, holding.test));
    available = all_indices(pooled);
  } else {
    holding.pool = std::move(set.training);
    holding.test = std::move(set.test);
    available = hold_out(scenario, holding);
  }
  Assignment assignment = deal({holding.pool.labels, available, set.classes, data.clients, scenario.seed});
  return std::make_unique<PooledData>(set, std::move(holding), std::move(assignment));
}

std::vector<std::string> data_directories(const std::string& from_command_line) {
  std::vector<std::string> directories;
  if (!from_command_line.empty()) directories.push_back(from_command_line);
  const char* from_environment = std::getenv("ANYBIT_DATA");
  if (from_environment && *from_environment) directories.emplace_back(from_environment);
  directories.emplace_back("data-cache");
  return directories;
}

}  // namespace anybit
