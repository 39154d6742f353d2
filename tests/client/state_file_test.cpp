#include "client/state_file.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "wire/message.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct StateFiles : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("anybit_state_" + std::to_string(::getpid()));
  StateFile file{(folder / "deep").string(), 0xabc, 4, 2};
  VersionedState all{{5, {1, 2}}, VersionedState::Version{10, {3, 4}}, {4, {5, 6}}};
  ~StateFiles() override { fs::remove_all(folder); }

  std::string bytes() const {
    std::ifstream in(file.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& bytes) const { std::ofstream(file.path(), std::ios::binary) << bytes; }
  /// Without the path.
  std::string reason(const StateFile& of) const {
    VersionedState state = all;
    const std::string why = of.read(state);
    if (why.empty()) return why;
    EXPECT_EQ(state.current(), VersionedState::Version()) << "a lost state is that of the beginning";
    EXPECT_FALSE(state.pending());
    EXPECT_EQ(state.previous(), VersionedState::Version());
    EXPECT_TRUE(why.starts_with(of.path() + ": ")) << why;
    return why.substr(of.path().size() + 2);
  }
};

TEST_F(StateFiles, ReadBackWhatWasWritten) {
  ASSERT_EQ(file.write(all), "");
  EXPECT_EQ(file.path(), (folder / "deep" / "run-0000000000000abc-client-4.state").string());
  VersionedState read;
  ASSERT_EQ(file.read(read), "");
  EXPECT_EQ(read.current(), all.current());
  EXPECT_EQ(read.pending(), all.pending());
  EXPECT_EQ(read.previous(), all.previous());
  VersionedState first;
  first.propose(0, std::vector<float>{7, 8});
  ASSERT_EQ(file.write(first), "");
  ASSERT_EQ(file.read(read), "");
  EXPECT_EQ(read.current(), VersionedState::Version());
  EXPECT_EQ(read.pending(), first.pending());
  EXPECT_EQ(read.previous(), VersionedState::Version());
  VersionedState afresh;
  afresh.start_afresh(9);
  ASSERT_EQ(file.write(afresh), "");
  ASSERT_EQ(file.read(read), "");
  EXPECT_EQ(read.current(), (VersionedState::Version{9, {0, 0}}));
  EXPECT_FALSE(read.pending());
  afresh.propose(9, std::vector<float>{7, 8});
  ASSERT_EQ(afresh.settle(10), "");
  ASSERT_EQ(file.write(afresh), "");
  ASSERT_EQ(file.read(read), "");
  EXPECT_EQ(read.current(), (VersionedState::Version{10, {7, 8}}));
  EXPECT_EQ(read.previous(), (VersionedState::Version{9, {0, 0}}));
}

TEST_F(StateFiles, WhereThereIsNoneItIsTheBeginning) { EXPECT_EQ(reason(file), ""); }

TEST_F(StateFiles, OneThatCannotBeReadIsNotTakenForNone) {
  fs::create_directories(folder);
  std::ofstream(folder / "deep") << "a file where the folder should be";
  EXPECT_EQ(reason(file), "Not a directory");
  fs::remove(folder / "deep");
  fs::create_directories(file.path());
  EXPECT_EQ(reason(file), "Is a directory");
}

TEST_F(StateFiles, EveryFlippedBitAndCutIsSeen) {
  ASSERT_EQ(file.write(all), "");
  const std::string good = bytes();
  EXPECT_EQ(good.size(), 48U + 6 * 4 + 4);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 8);
    put(bad);
    ASSERT_NE(reason(file), "") << i;
    put(good.substr(0, i));
    ASSERT_NE(reason(file), "") << i;
  }
  put(good + "x");
  EXPECT_EQ(reason(file), "is damaged (checksum)");
}

TEST_F(StateFiles, SayWhatIsWrong) {
  ASSERT_EQ(file.write(all), "");
  const std::string good = bytes();
  const StateFile larger((folder / "deep").string(), 0xabc, 4, 3);
  EXPECT_EQ(reason(larger), "is of another run or client");
  put("hello");
  EXPECT_EQ(reason(file), "is cut off");
  put(std::string(good.size(), 'x'));
  EXPECT_EQ(reason(file), "is no client's state");
  std::string older = good.substr(0, good.size() - 4);
  older[8] = 1;
  const std::uint32_t crc = crc32c({reinterpret_cast<const std::uint8_t*>(older.data()), older.size()});
  put(older + std::string(reinterpret_cast<const char*>(&crc), sizeof crc));
  EXPECT_EQ(reason(file), "has format 1, this is 2");
}

TEST_F(StateFiles, AFolderThatCannotBeMadeIsSaid) {
  fs::create_directories(folder);
  std::ofstream(folder / "deep") << "in the way";
  EXPECT_NE(file.write(all), "");
}

TEST_F(StateFiles, AFolderThatWasMadeIsOnTheDiskOrTheStateIsNot) {
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto write_without_opening = [&] {
    const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const std::string reason = file.write(all);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    return reason;
  };
  const auto flush_of = [](const fs::path& path) {
    return "cannot flush " + path.string() + ": Too many open files; ";
  };
  for (int i = 0; i < 2; ++i) {
    const std::string reason = write_without_opening();
    EXPECT_TRUE(reason.starts_with(flush_of(folder.parent_path()))) << reason;
  }
  fs::create_directories(folder);
  for (int i = 0; i < 2; ++i) {
    const std::string reason = write_without_opening();
    EXPECT_TRUE(reason.starts_with(flush_of(folder))) << reason;
  }
  EXPECT_EQ(file.write(all), "");
}

}  // namespace
}  // namespace anybit
