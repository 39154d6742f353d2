#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anybit {

/// Puts a file in place so that a crash at any moment leaves the old or the new one whole: temporary file in the same
/// folder, flush to disk, rename, flush of the folder (the order that ext4 and XFS ask for). Returns "" or why it could
/// not be done; the old file is then untouched and the temporary removed, but where the flush of the folder failed: the
/// new file is in place then, and a crash of the machine may still bring the old one back.
std::string write_durably(const std::string& path, const std::vector<std::span<const std::uint8_t>>& pieces);

/// The same piece by piece, for what is never in memory all at once. The first failure is kept, and what follows it
/// does nothing. Without commit() the old file stays, and the temporary is removed.
class DurableFile {
 public:
  explicit DurableFile(std::string path);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  void append(std::span<const std::uint8_t> bytes);
  /// In place of the first so many bytes, which were appended before.
  void replace_front(std::span<const std::uint8_t> bytes);
  /// Puts the file in place. Returns what write_durably() does.
  std::string commit();

 private:
  void note(int error);
  void close();

  std::string path_;
  int file_;
  int error_ = 0;
};

/// Has a folder's list of files on the disk: until then a file that was made in it can be gone after a power cut.
/// Returns "" or why it could not be done.
std::string flush_folder(const std::string& folder);

/// The name of the temporary file that write_durably() uses for `path`.
std::string temporary_of(const std::string& path);

/// "cannot STEP PATH: reason of the system; what to do".
std::string describe_failure(const std::string& step, const std::string& path, int error);

}  // namespace anybit
