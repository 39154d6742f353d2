#include "wire/allow_list.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "tests/wire/certificates.h"

namespace anybit {
namespace {

const std::string kOne(64, '1');
const std::string kTwo = "aB" + std::string(62, '2');
const std::string kTwoPlain = "ab" + std::string(62, '2');

std::string mistake(const std::string& text) {
  const TestFolder folder;
  folder.write("allowed", text);
  try {
    const AllowList list(folder.path("allowed"));
    return "";
  } catch (const std::runtime_error& error) {
    return std::string(error.what()).substr(folder.path("allowed").size());
  }
}

/// Looks until the change was seen to have settled; how often it took.
int looks_until_read(AllowList& list) {
  for (int looks = 1; looks < 10; ++looks)
    if (list.look_again()) return looks;
  return 0;
}

TEST(AllowList, HoldsNamesWithTheirFingerprints) {
  const TestFolder folder;
  folder.write("allowed", "# who may\n\nclient-1 " + kOne + "\n  client-2 " + kTwo + "  # the new one\r\n");
  const AllowList list(folder.path("allowed"));
  EXPECT_TRUE(list.holds({"client-1", kOne}));
  EXPECT_TRUE(list.holds({"client-2", kTwoPlain}));
  EXPECT_FALSE(list.holds({"client-2", kOne}));
  EXPECT_FALSE(list.holds({"client-3", kOne}));
  EXPECT_FALSE(list.holds({"", ""}));
}

TEST(AllowList, FingerprintsMayHaveColons) {
  const TestFolder folder;
  std::string with_colons = "AB";
  for (int i = 0; i < 31; ++i) with_colons += ":22";
  folder.write("allowed", "client-2 " + with_colons);
  EXPECT_TRUE(AllowList(folder.path("allowed")).holds({"client-2", kTwoPlain}));
}

TEST(AllowList, AClientMayHaveSeveralLines) {
  const TestFolder folder;
  folder.write("allowed", "client-1 " + kOne + "\nclient-1 " + kTwo + "\n");
  const AllowList list(folder.path("allowed"));
  EXPECT_TRUE(list.holds({"client-1", kOne}));
  EXPECT_TRUE(list.holds({"client-1", kTwoPlain}));
}

TEST(AllowList, MistakesHaveTheirPlace) {
  const std::string expected = ": expected a name and a SHA-256 fingerprint: client-3 64 digits";
  EXPECT_EQ(mistake("client-1 " + kOne), "");
  EXPECT_EQ(mistake("\nclient-1\n"), ":2" + expected);
  EXPECT_EQ(mistake("client-1 " + kOne + "1"), ":1" + expected);
  EXPECT_EQ(mistake("client-1 " + kOne.substr(1) + "g"), ":1" + expected);
  EXPECT_EQ(mistake("client-1 " + kOne + " client-2"), ":1" + expected);
}

TEST(AllowList, IsReadAgainWhenItHasChangedAndSettled) {
  const TestFolder folder;
  folder.write("allowed", "client-1 " + kOne + "\nclient-2 " + kTwo + "\n");
  AllowList list(folder.path("allowed"));
  EXPECT_EQ(looks_until_read(list), 0);
  folder.write("allowed", "client-2 " + kTwo + "\n");
  EXPECT_FALSE(list.look_again());
  EXPECT_TRUE(list.holds({"client-1", kOne}));  // may be half written
  EXPECT_TRUE(list.look_again());
  EXPECT_FALSE(list.holds({"client-1", kOne}));
  EXPECT_TRUE(list.holds({"client-2", kTwoPlain}));
  EXPECT_FALSE(list.look_again());
}

TEST(AllowList, OnceReadItNeverThrowsAndLetsNobodyInByMistake) {
  const TestFolder folder;
  folder.write("allowed", "client-1 " + kOne + "\nclient-2 " + kTwo + "\n");
  AllowList list(folder.path("allowed"));
  folder.write("allowed", "client-1 x\nclient-2 " + kTwo + "\n");
  EXPECT_EQ(looks_until_read(list), 2);
  EXPECT_FALSE(list.holds({"client-1", kOne}));
  EXPECT_TRUE(list.holds({"client-2", kTwoPlain}));
  std::filesystem::remove(folder.path("allowed"));
  EXPECT_EQ(looks_until_read(list), 2);
  EXPECT_FALSE(list.holds({"client-2", kTwoPlain}));
  folder.write("allowed", "client-1 " + kOne + "\n");
  EXPECT_EQ(looks_until_read(list), 2);
  EXPECT_TRUE(list.holds({"client-1", kOne}));
}

}  // namespace
}  // namespace anybit
