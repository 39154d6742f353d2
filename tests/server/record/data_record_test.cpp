#include "server/record/data_record.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(DataRecord, NamesWhatChanged) {
  const std::string before = data_record({"images 01 784", "labels 02 1"});
  EXPECT_EQ(before, "images 01 784\nlabels 02 1\n");
  EXPECT_EQ(data_difference(before, before), "");
  EXPECT_EQ(data_difference(before, data_record({"labels 02 1", "images 01 784"})), "");
  EXPECT_EQ(data_difference(before, data_record({"images 01 784", "labels 03 1"})),
            "labels (crc32 02 of 1 bytes, now crc32 03 of 1 bytes)");
  EXPECT_EQ(data_difference(before, data_record({"images 01 784", "more 04 2"})),
            "labels (crc32 02 of 1 bytes, now not there), more (not there, now crc32 04 of 2 bytes)");
}

TEST(DataRecord, NamesMayHoldSpaces) {
  EXPECT_EQ(data_difference(data_record({"trace/a week.csv 01 784"}), data_record({"trace/a week.csv 02 784"})),
            "trace/a week.csv (crc32 01 of 784 bytes, now crc32 02 of 784 bytes)");
  for (const char* odd : {"\n", "one\n", "one two\n", " \n", "  \n"}) EXPECT_EQ(data_difference(odd, ""), "") << odd;
}

TEST(DataRecord, OfExamplesHasNoTraces) {
  EXPECT_EQ(record_of_examples(data_record({"images 01 784", "trace/week.csv 02 9"})), "images 01 784\n");
}

}  // namespace
}  // namespace anybit
