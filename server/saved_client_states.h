#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/client_state_reader.h"

namespace anybit {

/// What clients keep, in the file of a checkpoint: read from there, client by client. The file stays open, so it can be
/// replaced or removed meanwhile; its space is free once this object is gone.
class SavedClientStates final : public ClientStateReader {
 public:
  /// `counted`: whose states they are, ascending, at least one; `at` and `bytes`: where in the file. Every failure here
  /// and in read() throws CheckpointError.
  SavedClientStates(const std::string& path, std::vector<CountedClient> counted, std::uint64_t at, std::uint64_t bytes);
  ~SavedClientStates() override;
  SavedClientStates(const SavedClientStates&) = delete;
  SavedClientStates& operator=(const SavedClientStates&) = delete;

  /// CRC32C of all of them.
  std::uint32_t checksum() const;

  std::size_t floats() const override { return floats_; }
  void read(const CountedClient& client, std::span<float> values) const override;

 private:
  void read_at(std::uint64_t offset, void* into, std::size_t size) const;

  std::string path_;
  std::vector<CountedClient> counted_;
  std::uint64_t at_;
  std::uint64_t bytes_;
  std::size_t floats_;
  int file_;
};

}  // namespace anybit
