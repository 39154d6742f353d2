// The house's one rule, walked over the source tree: an include never points upward (DESIGN, The house).

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// What each room may include beside itself.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"scenarios", {}},
    {"nn", {"scenarios"}},
    {"program", {"scenarios", "nn"}},
    {"data", {"scenarios", "nn"}},
    {"quant", {"scenarios", "nn"}},
    {"wire", {"scenarios", "nn", "quant"}},
    {"client", {"scenarios", "nn", "program", "data", "quant", "wire"}},
    {"server", {"scenarios", "nn", "program", "data", "quant", "wire"}},
    {"sim", {"scenarios", "nn", "program", "data", "quant", "wire", "client", "server"}},
};

// Libraries whose templates cost every includer seconds: they stay inside .cpp files.
bool is_heavy(const std::string& target) {
  return target.starts_with("asio") || target.starts_with("cereal/") || target.starts_with("openssl/");
}

// What is wrong with one include; empty: nothing.
std::string complaint(const std::string& room, const fs::path& file, const std::string& target, bool quoted) {
  if (is_heavy(target)) return file.extension() == ".h" ? "a heavy library in a header" : "";
  const std::string other = target.substr(0, target.find('/'));
  const bool in_a_room = other != target && kMayInclude.contains(other);
  if (quoted && !in_a_room) return "not written from the source root";
  if (!in_a_room || other == room || kMayInclude.at(room).contains(other)) return "";
  return room + " must not see " + other;
}

// The complaints about a file, as "path:line: include: why".
std::vector<std::string> complaints_about(const fs::path& root, const fs::path& file, const std::string& room) {
  static const std::regex include_line(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<std::string> found;
  std::ifstream in(root / file);
  std::string line;
  bool first = true;
  for (int number = 1; std::getline(in, line); ++number) {
    std::smatch match;
    if (!std::regex_search(line, match, include_line)) continue;
    std::string why = complaint(room, file, match[2], match[1] == "\"");
    // Before any header of the standard library Asio sees less of it and allocates otherwise than in the other files.
    if (std::exchange(first, false) && why.empty() && match[2].str().starts_with("asio"))
      why = "Asio is the first include";
    if (why.empty()) continue;
    found.push_back(file.string() + ":" + std::to_string(number) + ": " + match[2].str() + ": " + why);
  }
  return found;
}

// All complaints about the rooms under root, sorted; and how many files were read.
struct Walk {
  std::vector<std::string> complaints;
  int files = 0;
};

Walk walk(const fs::path& root) {
  Walk result;
  for (const auto& [room, lower] : kMayInclude) {
    if (!fs::exists(root / room)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / room)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      ++result.files;
      const auto found = complaints_about(root, fs::relative(entry.path(), root), room);
      result.complaints.insert(result.complaints.end(), found.begin(), found.end());
    }
  }
  std::ranges::sort(result.complaints);
  return result;
}

// A source tree of one file that is gone with it.
class PlantedTree {
 public:
  explicit PlantedTree(const std::string& name)
      : root_(fs::temp_directory_path() / ("anybit-structure-" + std::to_string(::getpid()) + "-" + name)) {}
  ~PlantedTree() { fs::remove_all(root_); }

  Walk plant(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
    return walk(root_);
  }

 private:
  fs::path root_;
};

using Lines = std::vector<std::string>;

TEST(Structure, NoIncludeOfTheHousePointsUpward) {
  const Walk house = walk(ANYBIT_SOURCE_DIR);
  EXPECT_GT(house.files, 50);
  EXPECT_EQ(house.complaints, Lines{});
}

TEST(Structure, EveryLibraryOfTheHouseIsWalked) {
  for (const fs::directory_entry& entry : fs::directory_iterator(ANYBIT_SOURCE_DIR)) {
    const std::string name = entry.path().filename();
    if (name == "tests" || !fs::exists(entry.path() / "CMakeLists.txt")) continue;
    EXPECT_TRUE(kMayInclude.contains(name)) << name << " has no place among the layers";
  }
}

TEST(Structure, EveryRoomOpensWithAShortReadme) {
  for (const auto& [room, lower] : kMayInclude) {
    std::ifstream readme(fs::path(ANYBIT_SOURCE_DIR) / room / "README.md");
    EXPECT_TRUE(readme.good()) << room;
    EXPECT_LE(std::count(std::istreambuf_iterator<char>(readme), {}, '\n'), 25) << room;
  }
}

TEST(Structure, APlantedUpwardIncludeIsFound) {
  const PlantedTree tree("upward");
  EXPECT_EQ(tree.plant("nn/layers/dense.cpp", "#include <vector>\n  # include \"quant/method.h\"\n").complaints,
            Lines{"nn/layers/dense.cpp:2: quant/method.h: nn must not see quant"});
}

TEST(Structure, NeighboursDoNotSeeEachOther) {
  const PlantedTree tree("neighbours");
  tree.plant("quant/a.h", "#include \"data/examples.h\"\n");
  tree.plant("data/b.h", "#include <quant/method.h>\n");
  tree.plant("client/c.cpp", "#include \"server/checkpoint.h\"\n");
  tree.plant("server/d.cpp", "#include \"client/training.h\"\n");
  EXPECT_EQ(tree.plant("wire/e.h", "#include \"data/examples.h\"\n").complaints,
            (Lines{"client/c.cpp:1: server/checkpoint.h: client must not see server",
                   "data/b.h:1: quant/method.h: data must not see quant",
                   "quant/a.h:1: data/examples.h: quant must not see data",
                   "server/d.cpp:1: client/training.h: server must not see client",
                   "wire/e.h:1: data/examples.h: wire must not see data"}));
}

TEST(Structure, IncludesAreWrittenFromTheRoot) {
  const PlantedTree tree("relative");
  tree.plant("nn/a.cpp", "#include \"../sim/fleet.h\"\n");
  EXPECT_EQ(tree.plant("nn/b.cpp", "#include \"random.h\"\n").complaints,
            (Lines{"nn/a.cpp:1: ../sim/fleet.h: not written from the source root",
                   "nn/b.cpp:1: random.h: not written from the source root"}));
}

TEST(Structure, AsioCerealAndOpensslStayOutOfHeaders) {
  const PlantedTree tree("heavy");
  EXPECT_EQ(tree.plant("nn/a.h", "#include <openssl/ssl.h>\n").complaints,
            Lines{"nn/a.h:1: openssl/ssl.h: a heavy library in a header"});
  tree.plant("nn/a.h", "");
  tree.plant("wire/a.cpp", "#include <cereal/archives/portable_binary.hpp>\n#include <asio.hpp>\n");
  EXPECT_EQ(tree.plant("wire/b.h", "#include <asio/buffer.hpp>\n").complaints,
            Lines{"wire/b.h:1: asio/buffer.hpp: a heavy library in a header"});
}

TEST(Structure, AsioIsNeverTheFirstInclude) {
  const PlantedTree tree("asio_first");
  EXPECT_EQ(tree.plant("wire/stream.cpp", "#include <asio.hpp>\n#include <utility>\n").complaints,
            Lines{"wire/stream.cpp:1: asio.hpp: Asio is the first include"});
}

TEST(Structure, DownwardIncludesAreFine) {
  const PlantedTree tree("downward");
  const Walk result = tree.plant("sim/a.cpp", "#include \"server/checkpoint.h\"\n#include \"nn/random.h\"\n");
  EXPECT_EQ(result.files, 1);
  EXPECT_EQ(result.complaints, Lines{});
}

}  // namespace
