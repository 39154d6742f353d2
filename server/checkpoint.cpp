// The file, little-endian:
//   "ANYBITCK"                    8 bytes
//   version, number of sections   u32 each
//   for each section              u32 tag, u32 CRC32C of its bytes, u64 length
//   CRC32C of all of the above    u32
//   the sections' bytes, one after the other, to the end of the file
// Sections 7 and 8 are there where a client that keeps something between its rounds has counted; versions before 4 have
// none. Those from 9 on, in version 5, are there in virtual time and where tasks wait for answers while versions go by.
// Every byte is under a checksum, and the lengths are checked against the file's size before anything is
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
#include <utility>

#include "program/durable_file.h"
#include "server/checkpoint_tasks.h"
#include "server/saved_client_states.h"
#include "wire/message.h"

namespace anybit {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are written in memory order");

constexpr std::array<char, 8> kMagic = {'A', 'N', 'Y', 'B', 'I', 'T', 'C', 'K'};
constexpr std::uint32_t kVersion = 5;
constexpr std::uint32_t kWithoutTime = 4;     // still written where there is nothing to say of time and tasks
constexpr std::uint32_t kWithoutClients = 3;  // nor of clients
constexpr std::uint32_t kOldest = 2;          // its numbers end with the version: no round was attempted in vain

enum Tag : std::uint32_t {
  kScenario = 1,
  kKernelSet,
  kData,
  kNumbers,
  kGlobal,
  kStrategyState,
  kCounted,
  kClientStates,
  kCourse,
  kInFlight,
  kDownlinks
};
constexpr std::uint32_t kSections = 11;

std::uint32_t sections_of(std::uint32_t version) {
  if (version <= kWithoutClients) return kStrategyState;
  return version == kWithoutTime ? kClientStates : kSections;
}

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

/// Where a federation is between its versions.
struct Course {
  double time = 0;
  double expected_round = 0;
  std::uint64_t tasks = 0;
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
static_assert(sizeof(CountedClient) == 8 && sizeof(TaskInFlight) == 32 && sizeof(Course) == 24, "no padding");

using ByteSpan = std::span<const std::uint8_t>;

template <class T>
ByteSpan bytes_of(const T* data, std::size_t count) {
  return {reinterpret_cast<const std::uint8_t*>(data), count * sizeof(T)};
}

/// The bytes of each section, in pieces; but for what clients keep, which is nowhere in one piece.
using Bodies = std::array<std::vector<ByteSpan>, kSections>;

/// What the sections are made of beside the state itself.
struct Numbered {
  Numbers numbers;
  Course course;
  std::vector<DownlinkHead> heads;

  Numbered(std::uint64_t layout, const FederationState& state)
      : numbers{layout, state.version, state.round, state.abandoned},
        course{state.time, state.expected_round, state.tasks} {
    for (const Downlink& downlink : state.downlinks) heads.push_back(head_of(downlink));
  }
};

Bodies bodies(const Checkpoint& checkpoint, const FederationState& state, const Numbered& numbered) {
  Bodies all = {{{bytes_of(checkpoint.scenario.data(), checkpoint.scenario.size())},
                 {bytes_of(checkpoint.kernel_set.data(), checkpoint.kernel_set.size())},
                 {bytes_of(checkpoint.data.data(), checkpoint.data.size())},
                 {bytes_of(&numbered.numbers, 1)},
                 {bytes_of(state.global.values.data(), state.global.values.size())},
                 {bytes_of(state.strategy_state.data(), state.strategy_state.size())},
                 {bytes_of(state.counted.data(), state.counted.size())},
                 {},
                 {bytes_of(&numbered.course, 1)},
                 {bytes_of(state.in_flight.data(), state.in_flight.size())},
                 {}}};
  for (std::size_t i = 0; i < state.downlinks.size(); ++i) {
    const Bytes& bytes = *state.downlinks[i].bytes;
    all[kDownlinks - 1].push_back(bytes_of(&numbered.heads[i], 1));
    all[kDownlinks - 1].push_back(bytes_of(bytes.data(), bytes.size()));
  }
  return all;
}

std::uint32_t version_for(const FederationState& state) {
  if (state.time != 0 || state.tasks != 0) return kVersion;
  return state.counted.empty() ? kWithoutClients : kWithoutTime;
}

/// Writes a piece of a section.
void put(ByteSpan piece, Section& section, DurableFile& file) {
  file.append(piece);
  section.crc = crc32c(piece, section.crc);
  section.length += piece.size();
}

void put_clients(const ClientStateReader& states, const FederationState& state, Section& section, DurableFile& file) {
  if (states.floats() == 0) return;
  FloatBuffer values(states.floats());
  for (const CountedClient& client : state.counted) {
    states.read(client, values);
    put(bytes_of(values.data(), values.size()), section, file);
  }
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
    size_ = left_ = std::filesystem::file_size(path, error);
    if (error || !file_) fail(error ? error.message() : "cannot be opened", "check the path and its permissions");
  }

  [[noreturn]] void fail(const std::string& reason, const std::string& advice) const {
    throw CheckpointError("checkpoint " + path_ + ": " + reason + "; " + advice);
  }
  [[noreturn]] void fail_broken(const std::string& reason) const {
    fail(reason, "use an earlier checkpoint or a copy of this one");
  }

  const std::string& path() const { return path_; }
  std::uint64_t left() const { return left_; }
  /// Passes over bytes that somebody else reads, and returns where they begin.
  std::uint64_t pass(std::uint64_t bytes) {
    file_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
    return size_ - std::exchange(left_, left_ - bytes);
  }

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
    require_checksum(section, crc32c(bytes_of(into.data(), into.size())));
  }
  void require_checksum(const Section& section, std::uint32_t crc) const {
    if (section.crc != crc) fail_broken("section " + std::to_string(section.tag) + " is damaged (checksum)");
  }

 private:
  std::string path_;
  std::ifstream file_;
  std::uint64_t size_ = 0;
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

bool clients_can_be(const Checkpoint& checkpoint, std::uint64_t bytes_of_states) {
  const std::vector<CountedClient>& counted = checkpoint.state.counted;
  const auto in_range = [&](const CountedClient& client) {
    return client.counted > 0 && client.counted <= std::max(checkpoint.state.round, checkpoint.state.tasks);
  };
  const std::ranges::greater_equal out_of_order;
  if (counted.empty()) return bytes_of_states == 0;
  return std::ranges::all_of(counted, in_range) &&
         std::ranges::adjacent_find(counted, out_of_order, &CountedClient::client) == counted.end() &&
         bytes_of_states % (counted.size() * sizeof(float)) == 0;
}

/// They can be too many for memory: they stay in the file, from `at` on.
void take_clients(const Reader& reader, const Section& section, std::uint64_t at, Checkpoint& checkpoint) {
  if (!clients_can_be(checkpoint, section.length)) reader.fail_broken("what it says of clients cannot be");
  if (section.length == 0) return reader.require_checksum(section, 0);
  const auto states =
      std::make_shared<const SavedClientStates>(reader.path(), checkpoint.state.counted, at, section.length);
  reader.require_checksum(section, states->checksum());
  checkpoint.client_states = states;
}

bool take_course(const std::vector<Course>& courses, FederationState& state) {
  if (courses.size() != 1) return false;
  const Course& course = courses.front();
  const auto is_time = [](double time) { return std::isfinite(time) && time >= 0; };
  if (!is_time(course.time) || !is_time(course.expected_round) || course.tasks > 0xffffffffU) return false;
  state.time = course.time;
  state.expected_round = course.expected_round;
  state.tasks = static_cast<std::uint32_t>(course.tasks);
  return true;
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

void read_course(Reader& reader, const Header& header, FederationState& state) {
  std::vector<Course> course;
  Bytes downlinks;
  reader.section(header.table[kCourse - 1], course);
  reader.section(header.table[kInFlight - 1], state.in_flight);
  reader.section(header.table[kDownlinks - 1], downlinks);
  if (!take_course(course, state)) reader.fail_broken("its numbers cannot be");
  if (!take_downlinks(downlinks, state) || !tasks_can_be(state)) reader.fail_broken("what it says of tasks cannot be");
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  write_checkpoint(path, checkpoint, checkpoint.state, checkpoint.client_states.get());
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint, const FederationState& state,
                      const ClientStateReader* client_states) {
  const Numbered numbered(checkpoint.layout, state);
  const Bodies sections = bodies(checkpoint, state, numbered);
  Header header;
  header.version = version_for(state);
  header.sections = sections_of(header.version);
  std::uint32_t crc = 0;
  Bytes head(header.bytes() + sizeof crc);
  DurableFile file(path);
  file.append(head);  // its room: what it says is known once the sections are written
  for (std::uint32_t i = 0; i < header.sections; ++i) {
    header.table[i] = {i + 1, 0, 0};
    for (const ByteSpan piece : sections[i]) put(piece, header.table[i], file);
    if (i + 1 == kClientStates && client_states) put_clients(*client_states, state, header.table[i], file);
  }
  std::memcpy(head.data(), &header, header.bytes());
  crc = crc32c(ByteSpan(head).first(header.bytes()));
  std::memcpy(head.data() + header.bytes(), &crc, sizeof crc);
  file.replace_front(head);
  if (const std::string reason = file.commit(); !reason.empty()) throw CheckpointError("checkpoint: " + reason);
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
  const Section& client_states = header.table[kClientStates - 1];
  std::uint64_t client_states_at = 0;
  if (header.sections >= kClientStates) {
    reader.section(header.table[kCounted - 1], checkpoint.state.counted);
    client_states_at = reader.pass(client_states.length);
  }
  if (header.sections == kSections) read_course(reader, header, checkpoint.state);
  take_clients(reader, client_states, client_states_at, checkpoint);
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
