#include "data/partitions/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace anybit {
namespace {

Part part(const std::string& name, std::initializer_list<std::pair<std::string, OptionValue>> options = {}) {
  Options set("data.partition");
  for (const auto& [key, value] : options) set.set(key, value, {"test.toml", 3});
  return {name, set, {"test.toml", 2}};
}

/// Examples with labels 0 1 ... classes-1 0 1 ..., of which every third is held by the server.
struct Pool {
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> available;

  Pool(std::uint32_t count, int classes) {
    for (std::uint32_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<std::uint8_t>(i % static_cast<std::uint32_t>(classes)));
      if (i % 3 != 2) available.push_back(i);
    }
  }
};

Assignment deal(const Part& partition, const Pool& pool, std::uint32_t clients, std::uint64_t seed = 1) {
  return partitions().make(partition)({pool.labels, pool.available, 10, clients, seed});
}

void expect_each_once(const Assignment& assignment, const Pool& pool, std::uint32_t clients) {
  ASSERT_EQ(assignment.starts.size(), clients + std::size_t{1});
  EXPECT_EQ(assignment.starts.front(), 0U);
  EXPECT_EQ(assignment.starts.back(), pool.available.size());
  std::vector<std::uint32_t> sorted = assignment.indices;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, pool.available);
}

std::pair<std::uint64_t, std::uint64_t> sizes(const Assignment& assignment, std::uint32_t clients) {
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  for (std::uint32_t client = 0; client < clients; ++client) {
    least = std::min(least, assignment.size(client));
    most = std::max(most, assignment.size(client));
  }
  return {least, most};
}

/// Mean over clients of the share of their commonest label.
double skew(const Assignment& assignment, const Pool& pool, std::uint32_t clients) {
  double sum = 0;
  for (std::uint32_t client = 0; client < clients; ++client) {
    std::vector<int> counts(10);
    for (const std::uint32_t index : assignment.of(client)) ++counts[pool.labels[index]];
    sum += *std::max_element(counts.begin(), counts.end()) / static_cast<double>(assignment.size(client));
  }
  return sum / clients;
}

TEST(Partitions, EachExampleIsDealtOutOnceUnderEveryRow) {
  const Pool pool(3000, 10);
  for (const auto& row : partitions().rows()) {
    if (row.info.name == "writer") continue;  // deals nothing out
    for (const std::uint32_t clients : {1U, 7U, 100U, 1000U})
      expect_each_once(deal(part(row.info.name), pool, clients), pool, clients);
  }
}

TEST(Partitions, AreNamedDraws) {
  const Pool pool(3000, 10);
  for (const std::string name : {"iid", "dirichlet", "quantity"}) {
    EXPECT_EQ(deal(part(name), pool, 20).indices, deal(part(name), pool, 20).indices);
    EXPECT_NE(deal(part(name), pool, 20).indices, deal(part(name), pool, 20, 2).indices);
  }
}

TEST(Iid, SizesDifferByAtMostOne) {
  const Pool pool(1501, 10);  // 1001 available
  for (const std::uint32_t clients : {3U, 10U, 1000U}) {
    const auto [least, most] = sizes(deal(part("iid"), pool, clients), clients);
    EXPECT_EQ(least, 1001 / clients);
    EXPECT_EQ(most, 1001 / clients + 1);
  }
  EXPECT_LT(skew(deal(part("iid"), pool, 10), pool, 10), 0.2);
}

TEST(Dirichlet, AlwaysEndsAndHonoursTheMinimum) {
  const Pool pool(3000, 10);
  for (const double alpha : {1e-6, 1e-3, 0.01, 0.1, 1.0, 10.0, 1e3, 1e6, 1e9}) {
    for (const std::int64_t minimum : {1, 2, 20}) {
      const Assignment dealt = deal(part("dirichlet", {{"alpha", alpha}, {"minimum", minimum}}), pool, 100);
      expect_each_once(dealt, pool, 100);
      EXPECT_GE(sizes(dealt, 100).first, static_cast<std::uint64_t>(minimum)) << alpha;
    }
  }
}

TEST(Dirichlet, TinyAlphaGivesEachClassToAClientOfItsOwnDraw) {
  const Pool pool(3000, 10);
  for (const double alpha : {1e-6, 1e-3}) {
    const Assignment dealt = deal(part("dirichlet", {{"alpha", alpha}}), pool, 100);
    std::uint32_t large = 0;
    for (std::uint32_t client = 0; client < 100; ++client) large += dealt.size(client) > 100 ? 1 : 0;
    EXPECT_GE(large, 5U) << alpha;  // where all shares underflow to zero, one client would get everything
    EXPECT_LE(large, 12U) << alpha;
  }
}

TEST(Dirichlet, AlphaIsTheSkew) {
  const Pool pool(30000, 10);
  const auto skew_at = [&](double alpha) {
    return skew(deal(part("dirichlet", {{"alpha", alpha}}), pool, 50), pool, 50);
  };
  EXPECT_GT(skew_at(0.01), 0.8);
  EXPECT_NEAR(skew_at(1.0), 0.29, 0.05);  // largest of 10 shares: H_10 / 10
  EXPECT_LT(skew_at(1e6), 0.11);
  // Nearly without spread every client gets the same.
  const auto [least, most] = sizes(deal(part("dirichlet", {{"alpha", 1e9}}), pool, 50), 50);
  EXPECT_LE(most - least, 12U);
}

TEST(Dirichlet, ExactlyTheMinimumForAllIsPossible) {
  const Pool pool(300, 10);  // 200 available
  const Assignment dealt = deal(part("dirichlet", {{"alpha", 0.01}, {"minimum", std::int64_t{10}}}), pool, 20);
  expect_each_once(dealt, pool, 20);
  EXPECT_EQ(sizes(dealt, 20), (std::pair<std::uint64_t, std::uint64_t>{10, 10}));
}

TEST(Dirichlet, TheLargestClientsGive) {
  const Pool pool(3000, 10);
  const auto options = [](std::int64_t minimum) { return part("dirichlet", {{"alpha", 0.05}, {"minimum", minimum}}); };
  const Assignment before = deal(options(1), pool, 50), after = deal(options(15), pool, 50);
  const std::uint64_t most = sizes(after, 50).second;
  for (std::uint32_t client = 0; client < 50; ++client) {
    if (before.size(client) >= 15 && before.size(client) < most) {
      EXPECT_GE(after.size(client) + 1, before.size(client)) << client;
    }
  }
}

// Sizes are Dirichlet(alpha, ..., alpha): with the mean m the deviation is m sqrt((n - 1) / (n alpha + 1)).
TEST(Quantity, AlphaIsTheSkewOfSizesAlone) {
  const Pool pool(30000, 10);  // 20000 available
  constexpr std::uint32_t kClients = 200;
  for (const double alpha : {1.0, 4.0}) {
    double squares = 0;
    const Assignment dealt = deal(part("quantity", {{"alpha", alpha}}), pool, kClients);
    expect_each_once(dealt, pool, kClients);
    for (std::uint32_t client = 0; client < kClients; ++client)
      squares += std::pow(static_cast<double>(dealt.size(client)) - 100, 2);
    const double expected = 100 * std::sqrt((kClients - 1) / (kClients * alpha + 1));
    EXPECT_NEAR(std::sqrt(squares / kClients) / expected, 1, 0.2) << alpha;
  }
  const Assignment few = deal(part("quantity", {{"alpha", 0.5}}), pool, 5);
  EXPECT_GT(sizes(few, 5).second, 2 * sizes(few, 5).first);
  EXPECT_LT(skew(few, pool, 5), 0.13) << "each client has a tenth of each label";
  const auto [least, most] = sizes(deal(part("quantity", {{"alpha", 1e9}}), pool, 50), 50);
  EXPECT_LE(most - least, 2U);
}

TEST(Quantity, HonoursTheMinimum) {
  const Pool pool(3000, 10);
  for (const double alpha : {1e-6, 0.01, 1.0}) {
    const Assignment dealt = deal(part("quantity", {{"alpha", alpha}, {"minimum", std::int64_t{15}}}), pool, 100);
    expect_each_once(dealt, pool, 100);
    EXPECT_GE(sizes(dealt, 100).first, 15U) << alpha;
  }
}

std::string refusal(const Part& partition, std::uint32_t clients) {
  const Pool pool(300, 10);
  try {
    deal(partition, pool, clients);
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

TEST(Dirichlet, RefusesWhatCannotWork) {
  EXPECT_EQ(refusal(part("dirichlet", {{"minimum", std::int64_t{3}}}), 100),
            "test.toml:3: data.partition.minimum: 3 examples for each of 100 clients are more than the 200 there are; "
            "at most 2");
  for (const double alpha : {0.0, -1.0, 1e-7, 1e10, std::nan("")})
    EXPECT_NE(refusal(part("dirichlet", {{"alpha", alpha}}), 10).find("data.partition.alpha: must be"),
              std::string::npos);
  EXPECT_NE(refusal(part("dirichlet", {{"minimum", std::int64_t{0}}}), 10).find("minimum: must be 1 or more"),
            std::string::npos);
  EXPECT_NE(refusal(part("dirichlet", {{"alfa", 1.0}}), 10).find("alpha"), std::string::npos);
  EXPECT_NE(refusal(part("quantity", {{"minimum", std::int64_t{3}}}), 100).find("at most 2"), std::string::npos);
  EXPECT_NE(refusal(part("diriclet"), 10).find("dirichlet"), std::string::npos);
}

TEST(Partitions, EveryAlternativeChangesWhoHoldsWhat) {
  const Pool pool(3000, 10);
  for (const auto& row : partitions().rows()) {
    for (const OptionRow& option : row.info.options) {
      Options plain("data.partition");
      for (const auto& [key, value] : option.alternative_with) plain.set(key, value);
      Options changed = plain;
      changed.set(option.name, option.alternative);
      const Assignment a = deal({row.info.name, plain, {}}, pool, 20), b = deal({row.info.name, changed, {}}, pool, 20);
      EXPECT_TRUE(a.indices != b.indices || a.starts != b.starts) << row.info.name << "." << option.name;
    }
  }
}

}  // namespace
}  // namespace anybit
