#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "client/versioned_state.h"

namespace anybit {

/// The file in which a client keeps its state of one run (format: state_file.cpp). A crash at any moment leaves the old
/// file or the new one, whole.
class StateFile {
 public:
  /// `floats`: what the method keeps.
  StateFile(const std::string& folder, std::uint64_t run, std::uint32_t client, std::size_t floats);

  const std::string& path() const { return path_; }
  /// Reads it; where there is none the state is that of the beginning. Returns "" or what is wrong with the file, and
  /// the state is then that of the beginning, too.
  std::string read(VersionedState& state) const;
  /// Writes it, and makes the folder where it is not there. Returns once it is on the disk: "" or why it is not.
  std::string write(const VersionedState& state) const;

 private:
  std::string check(const std::string& bytes, VersionedState& state) const;

  std::string folder_;
  std::string path_;
  std::uint64_t run_;
  std::uint32_t client_;
  std::size_t floats_;
};

}  // namespace anybit
