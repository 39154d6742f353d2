#include "client/versioned_state.h"

#include <gtest/gtest.h>

#include <vector>

namespace anybit {
namespace {

std::vector<float> current_of(const VersionedState& state) {
  std::vector<float> values = {7, 7};
  state.copy_current(values);
  return values;
}

/// Was current after round 4, and has answered in round 9.
VersionedState answered() { return {{5, {1, 2}}, VersionedState::Version{10, {3, 4}}}; }

TEST(VersionedState, BeginsWithZeros) {
  VersionedState state;
  EXPECT_EQ(state.settle(0), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0}));
  EXPECT_EQ(state.current().name, 0U);
}

TEST(VersionedState, AProposalIsCurrentOnceATaskCountsOnIt) {
  VersionedState state;
  state.propose(0, std::vector<float>{1, 2});
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0})) << "nobody knows yet whether it counts";
  EXPECT_EQ(state.settle(1), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{1, 2}));
  EXPECT_FALSE(state.pending());
  EXPECT_EQ(state.settle(1), "") << "the same task again";
  EXPECT_EQ(current_of(state), (std::vector<float>{1, 2}));
}

TEST(VersionedState, AProposalThatDidNotCountIsForgotten) {
  VersionedState state = answered();
  EXPECT_EQ(state.settle(5), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{1, 2}));
  EXPECT_FALSE(state.has(10));
  state.propose(11, std::vector<float>{5, 6});
  EXPECT_EQ(state.settle(12), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{5, 6}));
}

TEST(VersionedState, TheLastProposalOfTwoCounts) {
  VersionedState state = answered();
  state.propose(9, std::vector<float>{8, 9});
  EXPECT_EQ(state.settle(10), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{8, 9}));
}

TEST(VersionedState, AVersionThatIsNotThereChangesNothing) {
  VersionedState state = answered();
  EXPECT_EQ(state.settle(9), "its state is of round 5 or 10, the server counts on that of round 9");
  EXPECT_EQ(state.current(), answered().current());
  EXPECT_EQ(state.pending(), answered().pending());
  EXPECT_EQ(VersionedState({5, {1, 2}}, {}).settle(6), "its state is of round 5, the server counts on that of round 6");
  EXPECT_EQ(VersionedState().settle(6), "it has no state, the server counts on that of round 6");
  state.start_afresh(9);
  EXPECT_EQ(state.settle(9), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0}));
}

TEST(VersionedState, TheBeginningIsAlwaysThere) {
  VersionedState state = answered();
  EXPECT_TRUE(state.has(0));
  EXPECT_EQ(state.settle(0), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0}));
  EXPECT_FALSE(state.has(5));
}

}  // namespace
}  // namespace anybit
