#include "server/checkpoint.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "tests/server/states_in_memory.h"
#include "wire/message.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Layout> make_layout(int size) {
  return std::make_shared<const Layout>(std::vector<TensorSpec>{{.name = "w", .shape = {size}}});
}

Checkpoint make_checkpoint(std::uint32_t version) {
  Checkpoint checkpoint;
  checkpoint.scenario = "seed = 1\n";
  checkpoint.kernel_set = "avx2";
  checkpoint.data = "digits cbf43926 9\n";
  checkpoint.state.version = version;
  checkpoint.state.round = version + 5;
  checkpoint.state.abandoned = 3;
  checkpoint.state.global = Parameters(make_layout(3));
  checkpoint.state.global.values = {1.5F, -2.0F, 0x1p-140F};
  checkpoint.state.strategy_state = {7.0F};
  checkpoint.layout = checkpoint.state.global.layout->digest();
  return checkpoint;
}

struct CheckpointFile : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("anybit_checkpoint_" + std::to_string(::getpid()));
  std::string path = (folder / "a.ckpt").string();
  CheckpointFile() { fs::create_directories(folder); }
  ~CheckpointFile() override { fs::remove_all(folder); }

  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void put(const std::string& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }
  /// The error of reading these bytes, without the path.
  std::string read_error(const std::string& bytes) const {
    put(path, bytes);
    try {
      read_checkpoint(path);
    } catch (const CheckpointError& error) {
      const std::string what = error.what();
      const std::string start = "checkpoint " + path + ": ";
      EXPECT_TRUE(what.starts_with(start)) << what;
      return what.substr(std::min(what.size(), start.size()));
    }
    return "accepted";
  }
  static std::string write_error(const std::string& file) {
    try {
      write_checkpoint(file, make_checkpoint(2));
    } catch (const CheckpointError& error) {
      return error.what();
    }
    return "written";
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
  }
};

TEST_F(CheckpointFile, ReadsBackWhatWasWritten) {
  const Checkpoint written = make_checkpoint(41);
  write_checkpoint(path, written);
  Checkpoint read = read_checkpoint(path);
  EXPECT_EQ(read.scenario, written.scenario);
  EXPECT_EQ(read.kernel_set, written.kernel_set);
  EXPECT_EQ(read.data, written.data);
  EXPECT_EQ(read.layout, written.layout);
  EXPECT_EQ(read.state.version, 41U);
  EXPECT_EQ(read.state.round, 46U);
  EXPECT_EQ(read.state.abandoned, 3U);
  EXPECT_EQ(read.state.global.values, written.state.global.values);
  EXPECT_EQ(read.state.strategy_state, written.state.strategy_state);
  attach_layout(read, make_layout(3), path);
  EXPECT_EQ(read.state.global.tensor(0)[1], -2.0F);
  EXPECT_EQ(names(), std::vector<std::string>{"a.ckpt"}) << "no temporary is left";
}

TEST_F(CheckpointFile, HasTheDocumentedBytes) {
  write_checkpoint(path, make_checkpoint(2));
  const std::string bytes = bytes_of(path);
  EXPECT_EQ(bytes.substr(0, 8), "ANYBITCK");
  EXPECT_EQ(bytes.substr(8, 8), std::string("\x03\0\0\0\x06\0\0\0", 8));
  EXPECT_EQ(bytes.size(), 8 + 8 + 6 * 16 + 4 + 9U + 4 + 18 + 32 + 12 + 4);
  EXPECT_EQ(bytes.substr(116, 9), "seed = 1\n");
}

/// Of a run whose clients keep two floats each.
Checkpoint checkpoint_with_clients() {
  Checkpoint checkpoint = make_checkpoint(2);
  checkpoint.state.counted = {{3, 7}, {5, 1}};
  checkpoint.client_states =
      std::make_shared<const StatesInMemory>(checkpoint.state.counted, std::vector<float>{1, 2, 3, 4});
  return checkpoint;
}

TEST_F(CheckpointFile, HoldsWhatClientsKeep) {
  const Checkpoint written = checkpoint_with_clients();
  write_checkpoint(path, written);
  Checkpoint read = read_checkpoint(path);
  EXPECT_EQ(read.state.counted, written.state.counted);
  EXPECT_EQ(all_states(read.client_states.get(), read.state.counted), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(read.state.strategy_state, written.state.strategy_state);
  const std::string whole = bytes_of(path);
  EXPECT_EQ(whole.substr(8, 8), std::string("\x04\0\0\0\x08\0\0\0", 8));
  EXPECT_EQ(whole.size(), 8 + 8 + 8 * 16 + 4 + 9U + 4 + 18 + 32 + 12 + 4 + 16 + 16);
  write_checkpoint(path, make_checkpoint(9), written.state, written.client_states.get());
  EXPECT_EQ(bytes_of(path), whole) << "from where they lie";
  write_checkpoint(path, written, written.state);
  read = read_checkpoint(path);
  EXPECT_EQ(read.state.counted, written.state.counted);
  EXPECT_EQ(read.client_states, nullptr) << "a server does not know them";
}

TEST_F(CheckpointFile, WhatClientsKeepIsReadFromTheFileThatWasRead) {
  write_checkpoint(path, checkpoint_with_clients());
  const Checkpoint read = read_checkpoint(path);
  write_checkpoint(path, read);
  EXPECT_EQ(all_states(read_checkpoint(path).client_states.get(), read.state.counted), (std::vector<float>{1, 2, 3, 4}))
      << "its own copy";
  fs::remove(path);
  EXPECT_EQ(all_states(read.client_states.get(), {{5, 1}}), (std::vector<float>{3, 4}));
  std::vector<float> two(2), three(3);
  EXPECT_THROW(read.client_states->read({4, 1}, two), std::logic_error);
  EXPECT_THROW(read.client_states->read({5, 7}, two), std::logic_error);
  EXPECT_THROW(read.client_states->read({5, 1}, three), std::logic_error);
}

TEST_F(CheckpointFile, DetectsAFlippedBitInWhatClientsKeep) {
  write_checkpoint(path, checkpoint_with_clients());
  const std::string good = bytes_of(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 2);
    ASSERT_NE(read_error(bad), "accepted") << "byte " << i;
    ASSERT_NE(read_error(good.substr(0, i)), "accepted") << i;
  }
}

TEST_F(CheckpointFile, RefusesClientsThatCannotBe) {
  const auto refusal = [&](const std::vector<CountedClient>& counted, const std::vector<float>& states) {
    Checkpoint checkpoint = make_checkpoint(2);
    checkpoint.state.counted = counted;
    checkpoint.client_states = std::make_shared<const StatesInMemory>(counted, states);
    write_checkpoint(path, checkpoint);
    return read_error(bytes_of(path));
  };
  const std::string reason = "what it says of clients cannot be; use an earlier checkpoint or a copy of this one";
  EXPECT_EQ(refusal({{3, 7}, {5, 1}}, {1, 2}), "accepted");
  EXPECT_EQ(refusal({{5, 7}, {3, 1}}, {1, 2}), reason) << "not ascending";
  EXPECT_EQ(refusal({{3, 7}, {3, 1}}, {1, 2}), reason) << "twice";
  EXPECT_EQ(refusal({{3, 8}, {5, 1}}, {1, 2}), reason) << "a round that is not over";
  EXPECT_EQ(refusal({{3, 0}}, {1, 2}), reason);
}

TEST_F(CheckpointFile, RefusesOneAndAHalfFloatsOfEachClient) {
  write_checkpoint(path, checkpoint_with_clients());
  std::string bytes = bytes_of(path);
  constexpr std::size_t kRow = 16 + 7 * 16;  // of the states of clients
  constexpr std::size_t kHeader = 16 + 8 * 16;
  const auto crc = [&](std::size_t at, std::size_t size) {
    return crc32c({reinterpret_cast<const std::uint8_t*>(bytes.data()) + at, size});
  };
  const auto put = [&](std::size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  bytes.resize(bytes.size() - 4);
  put(kRow + 4, crc(bytes.size() - 12, 12));
  put(kRow + 8, std::uint64_t{12});
  put(kHeader, crc(0, kHeader));
  EXPECT_EQ(read_error(bytes), "what it says of clients cannot be; use an earlier checkpoint or a copy of this one");
}

/// The same file as format 2 had it: without the last two of the four numbers.
std::string as_format_2(std::string bytes) {
  constexpr std::size_t kTable = 16;
  constexpr std::size_t kHeader = kTable + 6 * 16;
  const auto crc = [&](std::size_t at, std::size_t size) {
    return crc32c({reinterpret_cast<const std::uint8_t*>(bytes.data()) + at, size});
  };
  const auto put = [&](std::size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  const std::size_t numbers = kHeader + 4 + 9 + 4 + 18;  // behind scenario, kernels and data
  bytes.erase(numbers + 16, 16);
  put(8, std::uint32_t{2});
  put(kTable + 3 * 16 + 4, crc(numbers, 16));
  put(kTable + 3 * 16 + 8, std::uint64_t{16});
  put(kHeader, crc(0, kHeader));
  return bytes;
}

TEST_F(CheckpointFile, ReadsTheFormatBefore) {
  write_checkpoint(path, make_checkpoint(2));
  const std::string old = as_format_2(bytes_of(path));
  put(path, old);
  const Checkpoint read = read_checkpoint(path);
  EXPECT_EQ(read.layout, make_checkpoint(2).layout);
  EXPECT_EQ(read.state.version, 2U);
  EXPECT_EQ(read.state.round, 2U) << "each round made a version then";
  EXPECT_EQ(read.state.abandoned, 0U);
  EXPECT_EQ(read.state.global.values, make_checkpoint(2).state.global.values);
}

TEST_F(CheckpointFile, RefusesNumbersThatCannotBe) {
  const auto refusal = [&](std::uint32_t version, std::uint32_t round, std::uint32_t abandoned) {
    Checkpoint checkpoint = make_checkpoint(version);
    checkpoint.state.round = round;
    checkpoint.state.abandoned = abandoned;
    write_checkpoint(path, checkpoint);
    return read_error(bytes_of(path));
  };
  EXPECT_EQ(refusal(2, 3, 1), "accepted");
  EXPECT_EQ(refusal(0, 0, 0), "accepted");
  EXPECT_EQ(refusal(3, 2, 0), "its numbers cannot be; use an earlier checkpoint or a copy of this one");
  EXPECT_NE(refusal(2, 3, 2), "accepted");
}

TEST_F(CheckpointFile, DetectsAFlippedBitAnywhere) {
  write_checkpoint(path, make_checkpoint(2));
  const std::string good = bytes_of(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      ASSERT_NE(read_error(bad), "accepted") << "byte " << i << " bit " << bit;
    }
  }
}

TEST_F(CheckpointFile, RefusesValuesThatAreNotFinite) {
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Checkpoint model = make_checkpoint(2);
    model.state.global.values[1] = odd;
    write_checkpoint(path, model);
    EXPECT_EQ(read_error(bytes_of(path)),
              "it holds values that are not finite; use an earlier checkpoint or a copy of this one");
    Checkpoint strategy = make_checkpoint(2);
    strategy.state.strategy_state[0] = odd;
    write_checkpoint(path, strategy);
    EXPECT_NE(read_error(bytes_of(path)), "accepted");
  }
}

TEST_F(CheckpointFile, DetectsACutAnywhere) {
  write_checkpoint(path, make_checkpoint(2));
  const std::string good = bytes_of(path);
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_NE(read_error(good.substr(0, size)), "accepted") << size;
  EXPECT_EQ(read_error(good.substr(0, good.size() - 1)),
            "the file is cut off; use an earlier checkpoint or a copy of this one");
  EXPECT_EQ(read_error(good + "x"), "1 bytes too many at the end; use an earlier checkpoint or a copy of this one");
}

TEST_F(CheckpointFile, SaysWhatIsWrong) {
  write_checkpoint(path, make_checkpoint(2));
  const std::string good = bytes_of(path);
  const auto flipped = [&](std::size_t at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    return read_error(bad);
  };
  EXPECT_EQ(flipped(0), "this is no anybit checkpoint; check the path");
  EXPECT_EQ(flipped(8), "format version 67, this program reads versions 2 to 5; use the program that wrote it");
  const std::string advice = "; use an earlier checkpoint or a copy of this one";
  EXPECT_EQ(flipped(24), "the header is damaged (checksum)" + advice) << "a length";
  EXPECT_EQ(flipped(112), "the header is damaged (checksum)" + advice) << "the header's checksum";
  EXPECT_EQ(flipped(good.size() - 8), "section 5 is damaged (checksum)" + advice) << "a parameter";
  EXPECT_EQ(read_error("hello"), "this is no anybit checkpoint; check the path");
  EXPECT_THROW(read_checkpoint(folder.string()), CheckpointError);
  fs::remove(path);
  EXPECT_THROW(read_checkpoint(path), CheckpointError);
}

TEST_F(CheckpointFile, RefusesAnotherNetwork) {
  for (const int size : {2, 4}) {
    Checkpoint checkpoint = make_checkpoint(2);
    EXPECT_THROW(attach_layout(checkpoint, make_layout(size), path), CheckpointError);
  }
  Checkpoint checkpoint = make_checkpoint(2);
  checkpoint.state.global.values.resize(2);
  EXPECT_THROW(attach_layout(checkpoint, make_layout(3), path), CheckpointError);
}

TEST_F(CheckpointFile, KeepsTheOldOneWhenTheDiskIsFull) {
  write_checkpoint(path, make_checkpoint(1));
  const std::string before = bytes_of(path);
  // The temporary leads to a device that is always full.
  fs::create_symlink("/dev/full", path + ".part");
  EXPECT_EQ(write_error(path), "checkpoint: cannot write " + path +
                                   ": No space left on device; free space there or choose another folder, then resume");
  EXPECT_EQ(bytes_of(path), before);
  EXPECT_EQ(names(), std::vector<std::string>{"a.ckpt"});
}

TEST_F(CheckpointFile, KeepsTheOldOneWhenTheFileIsCutInTheMiddle) {
  write_checkpoint(path, make_checkpoint(1));
  const std::string before = bytes_of(path);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 150;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = write_error(path);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(error, "checkpoint: cannot write " + path +
                       ": File too large; raise the limit on the size of files (ulimit -f), then resume");
  EXPECT_EQ(bytes_of(path), before);
  EXPECT_EQ(names(), std::vector<std::string>{"a.ckpt"});
}

TEST_F(CheckpointFile, SaysThatTheFolderIsMissing) {
  const std::string missing = (folder / "no" / "b.ckpt").string();
  EXPECT_EQ(write_error(missing), "checkpoint: cannot write " + missing +
                                      ": No such file or directory; make the folder, or choose one that exists");
  put(path, "");
  EXPECT_EQ(write_error(path + "/b.ckpt"), "checkpoint: cannot write " + path +
                                               "/b.ckpt: Not a directory; make the folder, or choose one that exists");
  fs::create_directory(folder / "c.ckpt");
  EXPECT_NE(write_error((folder / "c.ckpt").string()), "written") << "a folder stands in the way";
  EXPECT_FALSE(fs::exists(folder / "c.ckpt.part"));
}

TEST_F(CheckpointFile, NamesFilesByVersion) {
  EXPECT_EQ(checkpoint_path("run/checkpoints", 10), "run/checkpoints/checkpoint-000010.ckpt");
  EXPECT_EQ(checkpoint_path("run/checkpoints", 1234567), "run/checkpoints/checkpoint-1234567.ckpt");
}

TEST_F(CheckpointFile, FindsTheLatestAndFallsBackFromABrokenOne) {
  EXPECT_FALSE(latest_checkpoint((folder / "none").string()).has_value());
  EXPECT_FALSE(latest_checkpoint(folder.string()).has_value());
  for (const std::uint32_t version : {2U, 999999U, 1000000U})
    write_checkpoint(checkpoint_path(folder.string(), version), make_checkpoint(version));
  put((folder / "checkpoint-x.ckpt").string(), "not one of ours");
  put((folder / "checkpoint-.ckpt").string(), "nor this");
  const std::string newest = checkpoint_path(folder.string(), 1000000);
  EXPECT_EQ(latest_checkpoint(folder.string())->path, newest);
  EXPECT_TRUE(latest_checkpoint(folder.string())->broken.empty());

  put(newest, bytes_of(newest).substr(0, 100));
  const std::optional<LatestCheckpoint> latest = latest_checkpoint(folder.string());
  EXPECT_EQ(latest->checkpoint.state.version, 999999U);
  ASSERT_EQ(latest->broken.size(), 1U);
  EXPECT_NE(latest->broken[0].find(newest), std::string::npos);

  for (const std::uint32_t version : {2U, 999999U}) put(checkpoint_path(folder.string(), version), "");
  EXPECT_THROW(latest_checkpoint(folder.string()), CheckpointError);
}

TEST_F(CheckpointFile, PrunesAllButTheNewest) {
  for (std::uint32_t version = 8; version <= 12; ++version)
    write_checkpoint(checkpoint_path(folder.string(), version), make_checkpoint(version));
  put((folder / "checkpoint-000013.ckpt.part").string(), "left by a kill");
  put((folder / "notes.txt").string(), "mine");
  prune_checkpoints(folder.string(), 12, 2);
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-000011.ckpt", "checkpoint-000012.ckpt", "notes.txt"}));
  prune_checkpoints(folder.string(), 12, 0);
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-000012.ckpt", "notes.txt"}));
}

TEST_F(CheckpointFile, PruningKeepsWhatWasSavedAndNoBrokenLaterOne) {
  for (std::uint32_t version = 8; version <= 10; ++version)
    write_checkpoint(checkpoint_path(folder.string(), version), make_checkpoint(version));
  put(checkpoint_path(folder.string(), 12), "broken");
  prune_checkpoints(folder.string(), 10, 1);
  EXPECT_EQ(names(), std::vector<std::string>{"checkpoint-000010.ckpt"});
}

}  // namespace
}  // namespace anybit
