#include "sim/state_slots.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "nn/parallel.h"
#include "program/resident_memory.h"

namespace anybit {
namespace {

using Values = std::vector<float>;

Values in(const StateSlot& slot) {
  Values values = {-1, -1};
  slot.read(values);
  return values;
}

StateSlot slot_with(StateSlots& slots, float value) {
  StateSlot slot = slots.take();
  slot.write(Values{value, value + 0.5F});
  return slot;
}

TEST(StateSlots, AreZerosWhereThereIsNone) {
  EXPECT_FALSE(StateSlot());
  EXPECT_EQ(in(StateSlot()), (Values{0, 0}));
}

TEST(StateSlots, LieInMemoryUpToTheLimitAndThenInAFile) {
  StateSlots slots(2, 23);  // bytes: two, and most of a third
  std::vector<StateSlot> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(slot_with(slots, static_cast<float>(i)));
  EXPECT_EQ(slots.in_memory(), 2U);
  EXPECT_EQ(slots.on_disk(), 3U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(in(taken[i]), (Values{static_cast<float>(i), static_cast<float>(i) + 0.5F}));
  taken[4].write(Values{7, 8});
  EXPECT_EQ(in(taken[4]), (Values{7, 8}));
  EXPECT_EQ(in(taken[3]), (Values{3, 3.5F}));
}

TEST(StateSlots, AreUsedAgain) {
  StateSlots slots(2, 8);
  std::vector<StateSlot> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(slot_with(slots, static_cast<float>(i)));
  StateSlot moved = std::move(taken[2]);
  EXPECT_FALSE(taken[2]);
  taken.clear();
  EXPECT_EQ(in(moved), (Values{2, 2.5F}));
  for (int i = 0; i < 3; ++i) taken.push_back(slot_with(slots, 9));
  EXPECT_EQ(slots.in_memory(), 1U);
  EXPECT_EQ(slots.on_disk(), 3U);
  EXPECT_EQ(in(moved), (Values{2, 2.5F}));
  moved = std::move(taken[0]);
  EXPECT_EQ(in(moved), (Values{9, 9.5F}));
}

TEST(StateSlots, AreForAllThreads) {
  StateSlots slots(2, 80);
  std::vector<StateSlot> taken(200);
  parallel_for(taken.size(), 4, [&](std::size_t i, int) {
    for (int turn = 0; turn < 20; ++turn) taken[i] = slot_with(slots, static_cast<float>(i));
  });
  for (std::size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(in(taken[i])[0], static_cast<float>(i));
}

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const StateSlotError& error) {
    return error.what();
  }
  return "";
}

struct StateFolder : testing::Test {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("anybit_slots_" + std::to_string(::getpid()));
  StateFolder() { std::filesystem::create_directories(folder); }
  ~StateFolder() override { std::filesystem::remove_all(folder); }
};

TEST_F(StateFolder, HoldsNoFileThatANameLeadsTo) {
  StateSlots slots(2, 0, folder.string());
  const StateSlot slot = slot_with(slots, 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(StateFolder, ThatIsMissingIsAnError) {
  const std::string none = (folder / "none").string();
  StateSlots slots(2, 8, none);
  const StateSlot first = slot_with(slots, 1);
  EXPECT_EQ(failure_of([&] { slots.take(); }),
            "cannot make a file for what clients keep in " + none +
                ": No such file or directory; make the folder, or choose one that exists");
}

TEST_F(StateFolder, ThatIsFullIsAnError) {
  StateSlots slots(2, 0, folder.string());
  const StateSlot first = slot_with(slots, 1);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{12, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string failure = failure_of([&] { slot_with(slots, 2); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(failure, "cannot write what a client keeps in " + folder.string() +
                         ": File too large; raise the limit on the size of files (ulimit -f), then resume");
  EXPECT_EQ(in(first), (Values{1, 1.5F}));
}

TEST(StateSlots, TakeNoMoreMemoryThanTheirLimit) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "machine: no plain memory under a sanitizer, which keeps its own beside it";
#endif
  const std::vector<float> values(1 << 14, 1.0F);  // 64 kB, and a thousand of them 64 MB
  StateSlots slots(values.size(), 1 << 20);
  std::vector<StateSlot> taken(1024);
  const double before = resident_bytes();
  for (StateSlot& slot : taken) {
    slot = slots.take();
    slot.write(values);
  }
  EXPECT_EQ(slots.in_memory(), 16U);
  EXPECT_LT(resident_bytes() - before, 4e6);
}

}  // namespace
}  // namespace anybit
