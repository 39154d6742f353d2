// The file, little-endian:
//   "ANYBITCK"                    8 bytes
//   version, number of sections   u32 each
//   for each section              u32 tag, u32 CRC32C of its bytes, u64 length
//   CRC32C of all of the above    u32
//   the sections' bytes, one after the other, to the end of the file
// The last two sections are there where a client that keeps something between its rounds has counted; versions before 4
// have none. Every byte is under a checksum, and the lengths are checked against the file's size before anything is
// allocated.
#include "server/checkpoint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>

#include "program/durable_file.h"
#include "wire/message.h"

namespace anybit {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are written in memory order");

constexpr std::array<char, 8> kMagic = {'A', 'N', 'Y', 'B', 'I', 'T', 'C', 'K'};
constexpr std::uint32_t kVersion = 4;
constexpr std::uint32_t kWithoutClients = 3;  // still written where there is nothing to say of clients
constexpr std::uint32_t kOldest = 2;          // its numbers end with the version: no round was attempted in vain

enum Tag : std::uint32_t {
  kScenario = 1,
  kKernelSet,
  kData,
  kNumbers,
  kGlobal,
  kStrategyState,
  kCounted,
  kClientStates
};
constexpr std::uint32_t kSections = 8;
constexpr std::uint32_t kOldSections = 6;

std::uint32_t sections_of(std::uint32_t version) { return version <= kWithoutClients ? kOldSections : kSections; }

struct Section {
  std::uint32_t tag = 0;
  std::uint32_t crc = 0;
  std::uint64_t length = 0;
};

struct Numbers {
  std::uint64_t layout = 0;
  std::uint64_t version = 0;
  std::uint64_t round = 0;
  std::uint64_t abandoned = 0;
};

/// Everything before the sections' bytes; the file has as much of the table as there are sections.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t sections = kSections;
  std::array<Section, kSections> table{};

  std::size_t bytes() const { return offsetof(Header, table) + sections * sizeof(Section); }
};
static_assert(sizeof(Section) == 16 && sizeof(Header) == 16 + 16 * kSections, "no padding");
static_assert(sizeof(CountedClient) == 8, "no padding");

using ByteSpan = std::span<const std::uint8_t>;

template <class T>
ByteSpan bytes_of(const T* data, std::size_t count) {
  return {reinterpret_cast<const std::uint8_t*>(data), count * sizeof(T)};
}

/// The bytes of each section, in pieces.
using Bodies = std::array<std::vector<ByteSpan>, kSections>;

Bodies bodies(const Checkpoint& checkpoint, const FederationState& state, const Numbers& numbers,
              const ClientStateViews& client_states) {
  Bodies all = {{{bytes_of(checkpoint.scenario.data(), checkpoint.scenario.size())},
                 {bytes_of(checkpoint.kernel_set.data(), checkpoint.kernel_set.size())},
                 {bytes_of(checkpoint.data.data(), checkpoint.data.size())},
                 {bytes_of(&numbers, 1)},
                 {bytes_of(state.global.values.data(), state.global.values.size())},
                 {bytes_of(state.strategy_state.data(), state.strategy_state.size())},
                 {bytes_of(state.counted.data(), state.counted.size())},
                 {}}};
  for (const std::span<const float> kept : client_states) all.back().push_back(bytes_of(kept.data(), kept.size()));
  return all;
}

Section describe(std::uint32_t tag, const std::vector<ByteSpan>& pieces) {
  Section section{tag, 0, 0};
  for (const ByteSpan piece : pieces) {
    section.crc = crc32c(piece, section.crc);
    section.length += piece.size();
  }
  return section;
}

const char* const kNoCheckpoint = "this is no anybit checkpoint";
const char* const kOtherPath = "check the path";

/// One file being read; every failure names it.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) fail(kNoCheckpoint, kOtherPath);
    left_ = std::filesystem::file_size(path, error);
    if (error || !file_) fail(error ? error.message() : "cannot be opened", "check the path and its permissions");
  }

  [[noreturn]] void fail(const std::string& reason, const std::string& advice) const {
    throw CheckpointError("checkpoint " + path_ + ": " + reason + "; " + advice);
  }
  [[noreturn]] void fail_broken(const std::string& reason) const {
    fail(reason, "use an earlier checkpoint or a copy of this one");
  }

  std::uint64_t left() const { return left_; }

  void read(void* into, std::uint64_t size) {
    if (size > left_) fail_broken("the file is cut off");
    file_.read(static_cast<char*>(into), static_cast<std::streamsize>(size));
    if (!file_) fail("reading failed", "check the disk");
    left_ -= size;
  }

  Header header() {
    Header header;
    std::uint32_t crc = 0;
    if (left_ < sizeof header.magic) fail(kNoCheckpoint, kOtherPath);
    read(header.magic.data(), sizeof header.magic);
    if (header.magic != kMagic) fail(kNoCheckpoint, kOtherPath);
    read(&header.version, sizeof header.version);
    if (header.version < kOldest || header.version > kVersion)
      fail("format version " + std::to_string(header.version) + ", this program reads versions " +
               std::to_string(kOldest) + " to " + std::to_string(kVersion),
           "use the program that wrote it");
    read(&header.sections, sizeof header.sections);
    if (header.sections != sections_of(header.version)) fail_broken("the header lists other sections");
    read(header.table.data(), header.sections * sizeof(Section));
    read(&crc, sizeof crc);
    if (crc != crc32c(bytes_of(&header, 1).first(header.bytes()))) fail_broken("the header is damaged (checksum)");
    return header;
  }

  /// Reads a section into a container whose size it sets; `sizes` were checked against the file before.
  template <class Container>
  void section(const Section& section, Container& into) {
    using Element = typename Container::value_type;
    if (section.length % sizeof(Element) != 0) fail_broken("a section has a wrong length");
    into.resize(section.length / sizeof(Element));
    read(into.data(), section.length);
    if (section.crc != crc32c(bytes_of(into.data(), into.size())))
      fail_broken("section " + std::to_string(section.tag) + " is damaged (checksum)");
  }

 private:
  std::string path_;
  std::ifstream file_;
  std::uint64_t left_ = 0;
};

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// Takes what the numbers say; false where they cannot be.
bool take_numbers(const std::vector<std::uint64_t>& numbers, std::uint32_t format, Checkpoint& checkpoint) {
  const bool old = format == kOldest;
  if (numbers.size() != (old ? 2 : sizeof(Numbers) / sizeof(std::uint64_t))) return false;
  const std::uint64_t version = numbers[1];
  const std::uint64_t round = old ? version : numbers[2];
  const std::uint64_t abandoned = old ? 0 : numbers[3];
  if (round > 0xffffffffU || version > round || abandoned > round - version) return false;
  checkpoint.layout = numbers[0];
  checkpoint.state.version = static_cast<std::uint32_t>(version);
  checkpoint.state.round = static_cast<std::uint32_t>(round);
  checkpoint.state.abandoned = static_cast<std::uint32_t>(abandoned);
  return true;
}

bool clients_can_be(const Checkpoint& checkpoint) {
  const std::vector<CountedClient>& counted = checkpoint.state.counted;
  const auto in_range = [&](const CountedClient& client) {
    return client.counted > 0 && client.counted <= checkpoint.state.round;
  };
  const std::ranges::greater_equal out_of_order;
  return !counted.empty() && std::ranges::all_of(counted, in_range) &&
         std::ranges::adjacent_find(counted, out_of_order, &CountedClient::client) == counted.end() &&
         checkpoint.client_states.size() % counted.size() == 0;
}

void check_table(const Reader& reader, const Header& header) {
  std::uint64_t left = reader.left();
  for (std::uint32_t i = 0; i < header.sections; ++i) {
    const Section& section = header.table[i];
    if (section.tag != i + 1) reader.fail_broken("the header lists other sections");
    if (section.length > left) reader.fail_broken("the file is cut off");
    left -= section.length;
  }
  if (left != 0) reader.fail_broken(std::to_string(left) + " bytes too many at the end");
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  write_checkpoint(path, checkpoint, checkpoint.state, {checkpoint.client_states});
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint, const FederationState& state,
                      const ClientStateViews& client_states) {
  const Numbers numbers = {checkpoint.layout, state.version, state.round, state.abandoned};
  const Bodies sections = bodies(checkpoint, state, numbers, client_states);
  Header header;
  header.version = state.counted.empty() ? kWithoutClients : kVersion;
  header.sections = sections_of(header.version);
  for (std::uint32_t i = 0; i < header.sections; ++i) header.table[i] = describe(i + 1, sections[i]);
  const ByteSpan head = bytes_of(&header, 1).first(header.bytes());
  const std::uint32_t crc = crc32c(head);
  std::vector<ByteSpan> pieces = {head, bytes_of(&crc, 1)};
  for (std::uint32_t i = 0; i < header.sections; ++i)
    pieces.insert(pieces.end(), sections[i].begin(), sections[i].end());
  if (const std::string reason = write_durably(path, pieces); !reason.empty())
    throw CheckpointError("checkpoint: " + reason);
}

Checkpoint read_checkpoint(const std::string& path) {
  Reader reader(path);
  const Header header = reader.header();
  check_table(reader, header);
  Checkpoint checkpoint;
  std::vector<std::uint64_t> numbers;
  reader.section(header.table[0], checkpoint.scenario);
  reader.section(header.table[1], checkpoint.kernel_set);
  reader.section(header.table[2], checkpoint.data);
  reader.section(header.table[3], numbers);
  reader.section(header.table[4], checkpoint.state.global.values);
  reader.section(header.table[5], checkpoint.state.strategy_state);
  if (!all_finite(checkpoint.state.global.values) || !all_finite(checkpoint.state.strategy_state))
    reader.fail_broken("it holds values that are not finite");
  if (!take_numbers(numbers, header.version, checkpoint)) reader.fail_broken("its numbers cannot be");
  if (header.sections > kOldSections) {
    reader.section(header.table[6], checkpoint.state.counted);
    reader.section(header.table[7], checkpoint.client_states);
    if (!clients_can_be(checkpoint)) reader.fail_broken("what it says of clients cannot be");
  }
  return checkpoint;
}

void attach_layout(Checkpoint& checkpoint, std::shared_ptr<const Layout> layout, const std::string& path) {
  if (checkpoint.layout != layout->digest() || checkpoint.state.global.values.size() != layout->size())
    throw CheckpointError("checkpoint " + path +
                          ": it holds another network than the scenario describes; resume with the scenario that it "
                          "was written for, or start a new run");
  checkpoint.state.global.layout = std::move(layout);
}

}  // namespace anybit
