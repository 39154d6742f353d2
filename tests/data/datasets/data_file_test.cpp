#include "data/datasets/data_file.h"

#include <gtest/gtest.h>

#include "../files.h"

namespace anybit {
namespace {

TEST(DataFile, PlainAndPackedReadTheSame) {
  const Folder folder;
  const Bytes bytes = {0, 0, 1, 2, 5, 6, 7};
  for (const std::string& path : {folder.write("plain", bytes), folder.write("packed.gz", gzipped(bytes))}) {
    DataFile file(path);
    EXPECT_EQ(file.read_big_endian("a number"), 0x00000102U);
    EXPECT_EQ(file.read(3, "the rest"), (Bytes{5, 6, 7}));
    EXPECT_EQ(file.position(), 7U);
    file.expect_end();
  }
}

TEST(DataFile, ChecksumIsTheCrcOfTheContentPackedOrNot) {
  const Folder folder;
  // CRC-32 of "123456789" is the published check value cbf43926.
  const Bytes digits = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  for (const std::string& path : {folder.write("digits", digits), folder.write("digits.gz", gzipped(digits))}) {
    DataFile file(path);
    file.read(4, "some");
    file.read(5, "the rest");
    file.expect_end();
    EXPECT_EQ(file.checksum(), "digits cbf43926 9");
  }
}

TEST(DataFile, SeveralGzipMembersAreOneFile) {
  const Folder folder;
  Bytes both = gzipped({1, 2});
  const Bytes second = gzipped({3});
  both.insert(both.end(), second.begin(), second.end());
  DataFile file(folder.write("both.gz", both));
  EXPECT_EQ(file.read(3, "bytes"), (Bytes{1, 2, 3}));
  file.expect_end();
}

TEST(DataFile, TruncatedGzipIsRefusedWithPathAndPlaceWhereverItIsCut) {
  const Folder folder;
  const Bytes whole = gzipped(Bytes(5000, 3));
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const std::string path = folder.write("cut.gz", Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
    const std::string error = data_error([&] {
      DataFile file(path);
      file.read(5000, "bytes");
      file.expect_end();
    });
    EXPECT_TRUE(contains(error, path + ": byte ")) << size << ": " << error;
  }
}

TEST(DataFile, DamagedGzipIsRefused) {
  const Folder folder;
  Bytes bytes = gzipped(Bytes(5000, 3));
  bytes[bytes.size() - 6] ^= 1;  // in its checksum
  const std::string path = folder.write("bad.gz", bytes);
  EXPECT_TRUE(contains(data_error([&] {
                         DataFile file(path);
                         file.read(5000, "bytes");
                         file.expect_end();
                       }),
                       "damaged"));
}

TEST(DataFile, TrailingBytesAreRefusedBehindPlainAndPacked) {
  const Folder folder;
  Bytes packed = gzipped({1, 2});
  packed.push_back(9);
  for (const std::string& path : {folder.write("plain", {1, 2, 9}), folder.write("packed.gz", packed)}) {
    const std::string error = data_error([&] {
      DataFile file(path);
      file.read(2, "bytes");
      file.expect_end();
    });
    EXPECT_TRUE(contains(error, path + ": byte 2")) << error;
    EXPECT_TRUE(contains(error, "follow")) << error;
  }
}

TEST(DataFile, ReadingPastTheEndSaysWhatIsMissing) {
  const Folder folder;
  DataFile file(folder.write("short", {1, 2, 3}));
  file.read(2, "the head");
  EXPECT_TRUE(contains(data_error([&] { file.read(2, "the body"); }), "ends inside the body: 1 of 2"));
}

TEST(FindDataFiles, TakesTheFirstFolderThatHasAllAndNamesAllWhereNoneHas) {
  const Folder one, two;
  one.write("set/a", {1});
  two.write("set/a", {1});
  two.write("set/b.gz", {1});
  EXPECT_EQ(find_data_files("set", {"a", "b"}, {one.path(), two.path()}),
            (std::vector<std::string>{two.path() + "/set/a", two.path() + "/set/b.gz"}));
  const std::string error = data_error([&] { find_data_files("set", {"c", "d"}, {one.path(), two.path()}); });
  for (const std::string& part : {one.path() + "/set", two.path() + "/set", std::string("c, d"),
                                  std::string("scripts/fetch_data set"), std::string("--data-dir")})
    EXPECT_TRUE(contains(error, part)) << error;
}

// Fashion-MNIST's files have MNIST's names.
TEST(FindDataFiles, FilesOfAFolderItselfAreOfTheSetThatItWasNamedForAndOfNoOther) {
  const Folder folder;
  folder.write("a", {1});
  EXPECT_EQ(find_data_files("set", {"a"}, {folder.path()}, true), (std::vector<std::string>{folder.path() + "/a"}));
  EXPECT_FALSE(data_error([&] { find_data_files("set", {"a"}, {folder.path()}); }).empty());
  const std::string error = data_error([&] { find_data_files("set", {"b", "c"}, {folder.path()}, true); });
  EXPECT_TRUE(contains(error, folder.path() + "/set, " + folder.path() + " (expected: b, c")) << error;
}

TEST(FindDataFiles, NamesWhatASetLacks) {
  const Folder none, some;
  some.write("set/a.gz", {1});
  const std::string error = data_error([&] { find_data_files("set", {"a", "b", "c"}, {none.path(), some.path()}); });
  EXPECT_TRUE(error.starts_with("set: b, c: missing in " + some.path() + "/set, neither plain nor as .gz. ")) << error;
  EXPECT_TRUE(contains(error, "scripts/fetch_data set")) << error;
}

}  // namespace
}  // namespace anybit
