#include "server/idle_clients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "server/client_permutation.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

/// Each client is there for the first `length` seconds of a day of 1000 of its own.
struct Days {
  SmallFederation federation;
  double length;
  long asked = 0;
  std::set<std::uint32_t> at_work = {};

  Days(std::uint32_t clients, double with_length) : federation(clients, 1, 1), length(with_length) {
    federation.plan.reachability = {[this](std::uint32_t client, double now) {
                                      ++asked;
                                      return since(client, now) < length;
                                    },
                                    [this](std::uint32_t client, double now) {
                                      ++asked;
                                      const double passed = since(client, now);
                                      return passed < length ? now : now + 1000 - passed;
                                    },
                                    {}};
  }
  static double since(std::uint32_t client, double now) {
    return std::fmod(now + 1000 - static_cast<double>(client * 7919 % 64000) / 64, 1000);
  }
  bool is_idle(std::uint32_t client) const { return !at_work.contains(client); }

  /// As a walk finds it.
  std::optional<std::uint32_t> expected(std::uint32_t number, double now) const {
    const ClientPermutation order({.seed = federation.plan.seed, .purpose = Purpose::kCohort, .round = number},
                                  federation.plan.clients);
    for (std::uint32_t place = 0; place < federation.plan.clients; ++place)
      if (const std::uint32_t client = order.client(place); is_idle(client) && since(client, now) < length)
        return client;
    return std::nullopt;
  }
};

/// Clients come, are taken, and go on their way again, over three days; with a memory that is too small at times.
TEST(IdleClients, AreThoseThatAWalkFinds) {
  for (const double length : {0.25, 1.0, 500.0}) {
    Days days(2000, length);
    IdleClients idle(days.federation.plan, 10);
    const auto is_idle = [&](std::uint32_t client) { return days.is_idle(client); };
    Stream stream({.seed = 1, .purpose = Purpose::kTest});
    std::uint32_t number = 0;
    int nobody = 0;
    for (double now = 0; now < 3000; now += 0.5 * (1 + stream.below(4))) {
      while (days.at_work.size() < 10) {
        const auto client = idle.choose(number, now, is_idle);
        ASSERT_EQ(client, days.expected(number, now)) << number << " at " << now;
        nobody += client ? 0 : 1;
        ASSERT_TRUE(client || idle.next_turn() > now);
        if (!client) break;
        days.at_work.insert(*client);
        ++number;
      }
      for (std::uint32_t ends = stream.below(5); ends > 0 && !days.at_work.empty(); --ends) {
        const std::uint32_t client =
            *std::next(days.at_work.begin(), stream.below(static_cast<std::uint32_t>(days.at_work.size())));
        days.at_work.erase(client);
        idle.free(client);
      }
    }
    EXPECT_GT(number, 500U);
    EXPECT_TRUE(length == 500.0 || nobody > 100) << length << ": " << nobody;
  }
}

TEST(IdleClients, SayWhenTheNextOneComes) {
  Days days(500, 1e-9);
  IdleClients idle(days.federation.plan, 10);
  const auto is_idle = [](std::uint32_t) { return true; };
  double now = 0.3;
  for (int turn = 0; turn < 400; ++turn) {
    ASSERT_FALSE(idle.choose(0, now, is_idle));
    double next = 2000;
    for (std::uint32_t client = 0; client < 500; ++client)
      next = std::min(next, days.federation.plan.reachability.next(client, now));
    ASSERT_DOUBLE_EQ(idle.next_turn(), next);
    now = next + 1e-6;
  }
}

// A morning on which a thousand of 100,000 are wanted, and come one by one: few looks at all of them.
TEST(IdleClients, AreNotAllAskedEachTimeThatOneComes) {
  Days days(100'000, 0.001);
  IdleClients idle(days.federation.plan, 1000);
  const auto is_idle = [&](std::uint32_t client) { return days.is_idle(client); };
  double now = 0.001;
  std::uint32_t number = 0;
  while (number < 1000) {
    if (const auto client = idle.choose(number, now, is_idle)) {
      days.at_work.insert(*client);
      ++number;
    } else {
      now = idle.next_turn();
    }
  }
  EXPECT_LT(days.asked, 500'000);
}

}  // namespace
}  // namespace anybit
