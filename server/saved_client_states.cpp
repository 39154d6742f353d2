#include "server/saved_client_states.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "server/checkpoint.h"
#include "wire/message.h"

namespace anybit {
namespace {

constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 20;

}  // namespace

SavedClientStates::SavedClientStates(const std::string& path, std::vector<CountedClient> counted, std::uint64_t at,
                                     std::uint64_t bytes)
    : path_(path),
      counted_(std::move(counted)),
      at_(at),
      bytes_(bytes),
      floats_(bytes / sizeof(float) / counted_.size()),
      file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ < 0)
    throw CheckpointError("checkpoint " + path_ + ": " + std::generic_category().message(errno) +
                          "; check the path and its permissions");
}

SavedClientStates::~SavedClientStates() { ::close(file_); }

std::uint32_t SavedClientStates::checksum() const {
  std::vector<std::uint8_t> piece(std::min(bytes_, kMostAtOnce));
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < bytes_; done += piece.size()) {
    piece.resize(std::min(bytes_ - done, kMostAtOnce));
    read_at(done, piece.data(), piece.size());
    crc = crc32c(piece, crc);
  }
  return crc;
}

void SavedClientStates::read(const CountedClient& client, std::span<float> values) const {
  const auto found = std::ranges::lower_bound(counted_, client.client, {}, &CountedClient::client);
  if (found == counted_.end() || *found != client || values.size() != floats_)
    throw std::logic_error("checkpoint " + path_ + ": not of client " + std::to_string(client.client));
  const auto index = static_cast<std::uint64_t>(found - counted_.begin());
  read_at(index * values.size_bytes(), values.data(), values.size_bytes());
}

void SavedClientStates::read_at(std::uint64_t offset, void* into, std::size_t size) const {
  auto* to = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = ::pread(file_, to, size, static_cast<off_t>(at_ + offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw CheckpointError("checkpoint " + path_ + ": reading failed; check the disk");
    to += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace anybit
