#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_error.h"

struct z_stream_s;

namespace anybit {

/// A file of a data set, read front to back; gzip is unpacked on the way (it is told by its first two bytes, not by
/// its name). Nothing is allocated that the file only claims: memory grows with the bytes that arrive. Every failure is
/// a DataError with the path and the position in the unpacked content.
class DataFile {
 public:
  explicit DataFile(const std::string& path);
  ~DataFile();
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;

  /// Reads up to out.size() bytes; fewer only at the end.
  std::size_t read_some(std::span<std::uint8_t> out);
  /// Reads exactly `count` bytes; `what` names them in the error.
  std::vector<std::uint8_t> read(std::uint64_t count, std::string_view what);
  /// Four bytes, most significant first.
  std::uint32_t read_big_endian(std::string_view what);
  /// Refuses bytes that follow, then the checksum covers the file.
  void expect_end();

  const std::string& path() const { return path_; }
  std::uint64_t position() const { return position_; }
  /// "name crc32 size" of what was read so far, unpacked and the name without ".gz": the same for the same content,
  /// packed or not.
  std::string checksum() const;

  /// Throws DataError "path: byte N: reason".
  [[noreturn]] void refuse(std::uint64_t at, const std::string& reason) const;

 private:
  bool refill();
  std::size_t unpack(std::span<std::uint8_t> out);
  void next_member();

  std::string path_;
  std::ifstream file_;
  std::uint64_t size_on_disk_ = 0;
  std::vector<std::uint8_t> chunk_;  // the piece of the file that is being worked on
  std::size_t chunk_position_ = 0;
  std::size_t chunk_size_ = 0;
  std::uint64_t position_ = 0;
  std::uint32_t crc_ = 0;
  std::unique_ptr<z_stream_s> gzip_;  // null for a plain file
  bool member_ended_ = false;
};

/// Where the files of a set may lie: DIR/<set> for each DIR in order; where DIR was `named` for this set, then DIR
/// itself. Elsewhere that would take one set's files for another's: several sets name their files alike.
std::vector<std::filesystem::path> folders_of(const std::string& set, const std::vector<std::string>& directories,
                                              bool named = false);

/// The first of folders_of() that holds every one of `names`, each plain or with ".gz" (plain wins); their paths, in
/// order. Throws DataError that says what was expected, where it was looked for, and how to get it.
std::vector<std::string> find_data_files(const std::string& set, const std::vector<std::string>& names,
                                         const std::vector<std::string>& directories, bool named = false);

/// The error for files of `set` that none of folders_of() has.
[[noreturn]] void refuse_missing(const std::string& set, const std::string& expected,
                                 const std::vector<std::string>& directories, bool named = false);

}  // namespace anybit
