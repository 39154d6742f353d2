// The file, little-endian:
//   "ANYBITCS"                      8 bytes
//   format, client, run             u32 u32 u64
//   floats of a version             u64
//   names of the three versions     u32 u32 u32, current, pending and previous; 0 where there is none
//   0                               u32
//   the values of each that is not 0, in this order
//   CRC32C of all of the above      u32
#include "client/state_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "program/durable_file.h"
#include "wire/message.h"

namespace anybit {
namespace {

static_assert(std::endian::native == std::endian::little, "states are written in memory order");

struct Header {
  std::array<char, 8> magic = {'A', 'N', 'Y', 'B', 'I', 'T', 'C', 'S'};
  std::uint32_t format = 2;
  std::uint32_t client = 0;
  std::uint64_t run = 0;
  std::uint64_t floats = 0;
  std::uint32_t current = 0;
  std::uint32_t pending = 0;
  std::uint32_t previous = 0;
  std::uint32_t unused = 0;
};
static_assert(sizeof(Header) == 48, "no padding");

template <class T>
std::span<const std::uint8_t> bytes_of(const T* data, std::size_t count) {
  return {reinterpret_cast<const std::uint8_t*>(data), count * sizeof(T)};
}

/// With those that lead to it. One that is not on the disk would take its files with it: it is removed again, so that
/// the next try does not find it and trust it.
std::string make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return "";
  const std::filesystem::path parent = folder.parent_path();
  if (std::string reason = make_folder(parent); !reason.empty()) return reason;
  const bool made = std::filesystem::create_directories(folder, error);
  if (error) return describe_failure("make", folder.string(), error.value());
  if (!made) return "";
  std::string reason = flush_folder(parent.string());
  if (!reason.empty()) std::filesystem::remove(folder, error);
  return reason;
}

}  // namespace

StateFile::StateFile(const std::string& folder, std::uint64_t run, std::uint32_t client, std::size_t floats)
    : folder_(folder),
      path_((std::filesystem::path(folder) / fmt::format("run-{:016x}-client-{}.state", run, client)).string()),
      run_(run),
      client_(client),
      floats_(floats) {}

std::string StateFile::read(VersionedState& state) const {
  state = {};
  errno = 0;
  std::ifstream file(path_, std::ios::binary);
  if (!file.is_open() && errno == ENOENT) return "";
  std::string bytes;
  for (std::array<char, 1 << 16> chunk; file.read(chunk.data(), chunk.size()) || file.gcount() > 0;)
    bytes.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad())
    return path_ + ": " + (errno != 0 ? std::generic_category().message(errno) : "could not be read");
  const std::string reason = check(bytes, state);
  return reason.empty() ? reason : path_ + ": " + reason;
}

std::string StateFile::check(const std::string& bytes, VersionedState& state) const {
  const std::span<const std::uint8_t> all = bytes_of(bytes.data(), bytes.size());
  Header header;
  std::uint32_t crc = 0;
  if (all.size() < sizeof header + sizeof crc) return "is cut off";
  std::memcpy(&header, all.data(), sizeof header);
  std::memcpy(&crc, all.last(sizeof crc).data(), sizeof crc);
  if (header.magic != Header{}.magic) return "is no client's state";
  if (crc != crc32c(all.first(all.size() - sizeof crc))) return "is damaged (checksum)";
  if (header.format != Header{}.format) return fmt::format("has format {}, this is {}", header.format, Header{}.format);
  if (header.run != run_ || header.client != client_ || header.floats != floats_) return "is of another run or client";
  std::size_t versions = 0;
  for (const std::uint32_t name : {header.current, header.pending, header.previous}) versions += name != 0 ? 1 : 0;
  if (all.size() != sizeof header + versions * floats_ * sizeof(float) + sizeof crc) return "has a wrong size";
  const std::uint8_t* at = all.data() + sizeof header;
  const auto take = [&](std::uint32_t name) {
    VersionedState::Version version{name, {}};
    if (name == 0) return version;
    version.values.resize(floats_);
    std::memcpy(version.values.data(), at, floats_ * sizeof(float));
    at += floats_ * sizeof(float);
    return version;
  };
  VersionedState::Version current = take(header.current);
  VersionedState::Version pending = take(header.pending);
  VersionedState::Version previous = take(header.previous);
  state = {std::move(current), header.pending != 0 ? std::optional(std::move(pending)) : std::nullopt,
           std::move(previous)};
  return "";
}

std::string StateFile::write(const VersionedState& state) const {
  if (std::string reason = make_folder(folder_); !reason.empty()) return reason;
  Header header;
  header.client = client_;
  header.run = run_;
  header.floats = floats_;
  std::vector<std::span<const std::uint8_t>> pieces = {bytes_of(&header, 1)};
  FloatBuffer zeros;  // of one that began afresh
  const auto put = [&](const VersionedState::Version& version, std::uint32_t& name) {
    name = version.name;
    if (name == 0) return;
    if (version.values.empty()) zeros.resize(floats_);
    pieces.push_back(bytes_of(version.values.empty() ? zeros.data() : version.values.data(), floats_));
  };
  put(state.current(), header.current);
  if (state.pending()) put(*state.pending(), header.pending);
  put(state.previous(), header.previous);
  std::uint32_t crc = 0;
  for (const auto& piece : pieces) crc = crc32c(piece, crc);
  pieces.push_back(bytes_of(&crc, 1));
  return write_durably(path_, pieces);
}

}  // namespace anybit
