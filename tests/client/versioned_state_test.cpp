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
VersionedState answered() { return {{5, {1, 2}}, VersionedState::Version{10, {3, 4}}, {}}; }

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

/// Has answered in rounds 9 and 11, and the first of them counted.
VersionedState promoted() {
  VersionedState state = answered();
  EXPECT_EQ(state.settle(10), "");
  state.propose(11, std::vector<float>{5, 6});
  return state;
}

TEST(VersionedState, OneThatWasCurrentBeforeIsSoAgainWhereTheServerGoesBack) {
  VersionedState state = promoted();
  EXPECT_EQ(state.previous(), answered().current());
  EXPECT_TRUE(state.has(5));
  EXPECT_EQ(state.settle(5), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{1, 2}));
  EXPECT_FALSE(state.has(10));
  EXPECT_FALSE(state.has(12));
  state.propose(9, std::vector<float>{3, 4});
  EXPECT_EQ(state.settle(10), "") << "the round again";
  EXPECT_EQ(current_of(state), (std::vector<float>{3, 4}));
  EXPECT_TRUE(state.has(5));
}

TEST(VersionedState, ThePreviousOneStaysAsLongAsTheCurrentOneDoes) {
  VersionedState state = promoted();
  EXPECT_EQ(state.settle(10), "") << "the last proposal did not count";
  EXPECT_FALSE(state.has(12));
  EXPECT_TRUE(state.has(5));
  state.propose(13, std::vector<float>{7, 8});
  EXPECT_EQ(state.settle(14), "");
  EXPECT_FALSE(state.has(5)) << "no more than one";
  EXPECT_EQ(state.settle(10), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{3, 4}));
}

TEST(VersionedState, ThePreviousOneCanBeForgotten) {
  VersionedState state = promoted();
  state.forget_previous();
  EXPECT_FALSE(state.has(5));
  EXPECT_TRUE(state.has(10));
  EXPECT_TRUE(state.has(12));
}

TEST(VersionedState, TheLastProposalOfTwoCounts) {
  VersionedState state = answered();
  state.propose(9, std::vector<float>{8, 9});
  EXPECT_EQ(state.settle(10), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{8, 9}));
}

TEST(VersionedState, AVersionThatIsNotThereChangesNothing) {
  VersionedState state = answered();
  EXPECT_EQ(state.settle(9), "it has version 5 or 10 of its state, the server counts on version 9");
  EXPECT_EQ(state.current(), answered().current());
  EXPECT_EQ(state.pending(), answered().pending());
  EXPECT_EQ(VersionedState({5, {1, 2}}, {}, {}).settle(6),
            "it has version 5 of its state, the server counts on version 6");
  EXPECT_EQ(VersionedState().settle(6), "it has no state, the server counts on version 6");
  state = promoted();
  EXPECT_EQ(state.settle(9), "it has version 5 or 10 or 12 of its state, the server counts on version 9");
  state.start_afresh(9);
  EXPECT_EQ(state.settle(9), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0}));
  EXPECT_FALSE(state.has(5));
}

TEST(VersionedState, TheBeginningIsAlwaysThere) {
  VersionedState state = promoted();
  EXPECT_TRUE(state.has(0));
  EXPECT_EQ(state.settle(0), "");
  EXPECT_EQ(current_of(state), (std::vector<float>{0, 0}));
  for (const std::uint32_t name : {5, 10, 12}) EXPECT_FALSE(state.has(name));
}

}  // namespace
}  // namespace anybit
