#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "wire/byte_stream.h"

namespace anybit {

/// The clients that a server lets in: a text file with a line for each certificate,
///
///     client-3 SHA256-FINGERPRINT
///
/// the fingerprint in hexadecimal, with or without colons. Blank lines and what follows a # mean nothing. A client may
/// have several lines, while its certificate is replaced by a new one.
class AllowList {
 public:
  /// Throws std::runtime_error with path, line and reason.
  explicit AllowList(std::string path);

  bool holds(const PeerIdentity& peer) const { return entries_.contains({peer.name, peer.fingerprint}); }

  /// Reads the file anew where it has changed and then stayed the same between two calls, so that a file that is being
  /// written is not read half. Whether it did. From then on a line that is none lets nobody in, nor does a lost file.
  bool look_again();
  /// What was wrong with the file when it was read last; "" where nothing was.
  const std::string& mistake() const { return mistake_; }

 private:
  /// What changes when the file does.
  struct Stamp {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::uint64_t bytes = 0;
    std::uint64_t file = 0;  // 0: there is none
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp() const;
  /// Returns the first mistake, with its place.
  std::string read();

  std::string path_;
  std::set<std::pair<std::string, std::string>> entries_;
  Stamp read_;  // what the file was when it was read
  Stamp seen_;  // at the last look
  std::string mistake_;
};

}  // namespace anybit
