#include "quant/schedules/schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

std::vector<SlotSite> three_layers() {
  std::vector<SlotSite> sites;
  for (int slot = 0; slot < 6; ++slot) {
    SlotSite site;
    site.slot = slot;
    site.kind = slot % 2 == 0 ? SlotKind::kWeight : SlotKind::kActivation;
    site.layer = slot / 2;
    site.first = slot < 2;
    site.last = slot >= 4;
    sites.push_back(site);
  }
  return sites;
}

std::vector<std::uint8_t> choose(const BitSchedule& schedule, std::uint32_t round, std::uint32_t client,
                                 std::uint32_t step, std::span<const int> device = {}) {
  std::vector<std::uint8_t> chosen(6, 0);
  schedule.choose({{9, Purpose::kTest, round, client, step, 0}, 0.0, device}, three_layers(), chosen);
  return chosen;
}

WidthPlan five_widths() { return {{8, 6, 4, 3, 2}, 32, 0, 0}; }

// 5 cells, 4 degrees of freedom: 18.47 is the 0.1 % point.
double chi_square(const std::map<int, int>& counts, double each) {
  double sum = 0;
  for (const int width : {8, 6, 4, 3, 2}) {
    const auto found = counts.find(width);
    const double d = (found == counts.end() ? 0 : found->second) - each;
    sum += d * d / each;
  }
  return sum;
}

TEST(Schedule, DrawsEveryWidthEquallyOften) {
  for (const std::string& sampling : sampling_names()) {
    const auto schedule = make_schedule(sampling, five_widths());
    std::map<int, int> counts;
    for (std::uint32_t i = 0; i < 5000; ++i) {
      const bool by_client = sampling == "device" || sampling == "client_round";
      const bool by_step = sampling == "step" || sampling == "step_layer";
      ++counts[choose(*schedule, by_step || by_client ? 0 : i, by_client ? i : 0, by_step ? i : 0)[2]];
    }
    EXPECT_LT(chi_square(counts, 1000.0), 18.47) << sampling;
  }
}

TEST(Schedule, LayersAreIndependentOnlyWhereAsked) {
  std::map<int, int> pairs;
  const auto per_layer = make_schedule("step_layer", five_widths());
  const auto shared = make_schedule("step", five_widths());
  for (std::uint32_t step = 0; step < 5000; ++step) {
    const auto own = choose(*per_layer, 0, 0, step);
    ++pairs[own[0] * 100 + own[4]];
    const auto one = choose(*shared, 0, 0, step);
    EXPECT_EQ(one[0], one[4]);
  }
  double sum = 0;  // 25 cells of 200; 24 degrees of freedom: 51.2 is the 0.1 % point
  for (const int a : {8, 6, 4, 3, 2})
    for (const int b : {8, 6, 4, 3, 2}) sum += (pairs[a * 100 + b] - 200.0) * (pairs[a * 100 + b] - 200.0) / 200.0;
  EXPECT_LT(sum, 51.2);
}

TEST(Schedule, SharesADrawExactlyAsItsNameSays) {
  struct Row {
    const char* sampling;
    bool by_round, by_client, by_step;
  };
  for (const auto& [sampling, by_round, by_client, by_step] :
       {Row{"step", true, true, true}, Row{"step_layer", true, true, true}, Row{"client_round", true, true, false},
        Row{"round", true, false, false}, Row{"device", false, true, false}}) {
    const auto schedule = make_schedule(sampling, five_widths());
    std::set<int> rounds, clients, steps;
    for (std::uint32_t i = 0; i < 40; ++i) {
      rounds.insert(choose(*schedule, i, 3, 7)[0]);
      clients.insert(choose(*schedule, 5, i, 7)[0]);
      steps.insert(choose(*schedule, 5, 3, i)[0]);
    }
    EXPECT_EQ(rounds.size() > 1, by_round) << sampling;
    EXPECT_EQ(clients.size() > 1, by_client) << sampling;
    EXPECT_EQ(steps.size() > 1, by_step) << sampling;
  }
}

// specs A 1.5, item 5: client k always uses its hardware's width.
TEST(Schedule, ADeviceKeepsOneOfTheWidthsOfItsClass) {
  const auto schedule = make_schedule("device", five_widths());
  const std::vector<int> gateway = {32, 8};
  std::map<int, int> counts;
  for (std::uint32_t client = 0; client < 1000; ++client) {
    const int own = choose(*schedule, 0, client, 0, gateway)[0];
    ++counts[own];
    for (std::uint32_t later = 1; later < 5; ++later) {
      EXPECT_EQ(choose(*schedule, later, client, 0, gateway)[0], own);
      EXPECT_EQ(choose(*schedule, 7, client, later, gateway)[0], own);
    }
  }
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts[32], 500, 60);
}

TEST(Schedule, GivesTheEndsTheirOwnWidth) {
  const auto schedule = make_schedule("step", {{4}, 6, 8, 7});
  EXPECT_EQ(choose(*schedule, 0, 0, 0), (std::vector<std::uint8_t>{8, 8, 4, 6, 7, 7}));
  const auto floating = make_schedule("step", {{32}, 32, 8, 7});
  EXPECT_EQ(choose(*floating, 0, 0, 0), std::vector<std::uint8_t>(6, 32));
  EXPECT_THROW(make_schedule("sometimes", {}), std::invalid_argument);
}

TEST(WidthPlan, ReadsWidthsOrSaysWhatItAccepts) {
  Options options("training.method");
  options.set("widths", std::vector<std::int64_t>{8, 32});
  EXPECT_EQ(read_widths(options, "widths"), (std::vector<int>{8, 32}));
  for (const std::vector<std::int64_t>& bad : {std::vector<std::int64_t>{}, {1}, {17}, {4, 4}}) {
    options.set("widths", bad);
    EXPECT_THROW(read_widths(options, "widths"), ScenarioError);
  }
  options.set("first", std::int64_t{0});
  EXPECT_EQ(read_width(options, "first", true), 0);
  EXPECT_THROW(read_width(options, "first", false), ScenarioError);
}

}  // namespace
}  // namespace anybit
