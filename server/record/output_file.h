#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace anybit {

/// A run directory that cannot be used or a file of it that cannot be written; what() names the path and what to do.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file that grows line by line through a buffer. Every failure is a RunError that names the path: a full disk is
/// noticed at the latest by sync().
class OutputFile {
 public:
  /// Opens for appending, made if it is not there.
  explicit OutputFile(std::filesystem::path path);

  void write_line(std::string_view line);
  /// Hands the buffer to the operating system.
  void flush();
  /// flush(), then to the disk.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Writes a whole small file so that a crash leaves the old or the new one.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The whole file; RunError where it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace anybit
