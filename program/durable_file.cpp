#include "program/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace anybit {
namespace {

std::string what_to_do(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "free space there or choose another folder, then resume";
    case EFBIG: return "raise the limit on the size of files (ulimit -f), then resume";
    case ENOENT:
    case ENOTDIR: return "make the folder, or choose one that exists";
    case EACCES:
    case EPERM:
    case EROFS: return "allow this user to write there, or choose another folder";
    default: return "check the disk, or choose another folder";
  }
}

/// Writes all of it; 0 or errno.
int write_all(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Writes and flushes an open file, and closes it whatever happens; 0 or errno.
int fill_and_close(int file, const std::vector<std::span<const std::uint8_t>>& pieces) {
  int error = 0;
  for (const auto& piece : pieces)
    if (error == 0) error = write_all(file, piece);
  if (error == 0 && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

int sync_folder(const std::string& folder) {
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return errno;
  const int error = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // Some file systems cannot flush a folder and need not.
  return error == EINVAL ? 0 : error;
}

}  // namespace

std::string temporary_of(const std::string& path) { return path + ".part"; }

std::string describe_failure(const std::string& step, const std::string& path, int error) {
  return "cannot " + step + " " + path + ": " + std::generic_category().message(error) + "; " + what_to_do(error);
}

std::string write_durably(const std::string& path, const std::vector<std::span<const std::uint8_t>>& pieces) {
  const std::string temporary = temporary_of(path);
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return describe_failure("write", path, errno);
  int error = fill_and_close(file, pieces);
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return describe_failure("write", path, error);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  error = sync_folder(folder);
  return error == 0 ? "" : describe_failure("flush the folder of", path, error);
}

std::string flush_folder(const std::string& folder) {
  const int error = sync_folder(folder);
  return error == 0 ? "" : describe_failure("flush", folder, error);
}

}  // namespace anybit
