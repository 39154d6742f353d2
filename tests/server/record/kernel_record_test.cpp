#include "server/record/kernel_record.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(KernelRecord, GrowsWhereTheSetChanges) {
  EXPECT_EQ(record_with("", "avx512"), "avx512");
  EXPECT_EQ(record_with("avx512", "avx2"), "avx512 then avx2");
  EXPECT_EQ(record_with("avx512 then avx2", "avx2"), "avx512 then avx2");
}

TEST(KernelRecord, TakesEachNameOfOthersOnce) {
  EXPECT_EQ(record_with("avx512", "avx512"), "avx512");
  EXPECT_EQ(record_with("avx512 then avx2", "avx512"), "avx512 then avx2");
  EXPECT_EQ(record_with("avx512", "avx"), "avx512 then avx") << "a part of a name is another name";
  EXPECT_EQ(record_with("avx2 oneDNN-1", "portable anybit-1"), "avx2 oneDNN-1 then portable anybit-1");
  EXPECT_EQ(record_with("avx2", ""), "avx2 then unknown");
  EXPECT_EQ(record_with("avx2", "a then b"), "avx2 then unknown");
  std::string record = "avx2";
  for (int name = 0; name < 100; ++name) record = record_with(record, "made-up-" + std::to_string(name));
  EXPECT_LT(record.size(), 150U) << "whatever peers make up";
}

TEST(KernelRecord, SaysWhatCannotBeReplayed) {
  EXPECT_EQ(replay_refusal("avx2", "avx2"), "");
  EXPECT_EQ(replay_refusal("avx2", "avx512"),
            "made with kernels 'avx2', here they are 'avx512': the same bits need the same kernels (--isa)");
  EXPECT_EQ(replay_refusal("avx512 then avx2", "avx2"),
            "a mixed run, made with kernels 'avx512 then avx2': no one set makes the same bits");
}

}  // namespace
}  // namespace anybit
