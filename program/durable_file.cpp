#include "program/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

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
  DurableFile file(path);
  for (const auto& piece : pieces) file.append(piece);
  return file.commit();
}

DurableFile::DurableFile(std::string path)
    : path_(std::move(path)),
      file_(::open(temporary_of(path_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (file_ < 0) error_ = errno;
}

DurableFile::~DurableFile() {
  if (file_ < 0) return;
  close();
  ::unlink(temporary_of(path_).c_str());
}

void DurableFile::append(std::span<const std::uint8_t> bytes) {
  if (error_ == 0) note(write_all(file_, bytes));
}

void DurableFile::replace_front(std::span<const std::uint8_t> bytes) {
  if (error_ == 0) note(::lseek(file_, 0, SEEK_SET) == 0 ? write_all(file_, bytes) : errno);
  if (error_ == 0) note(::lseek(file_, 0, SEEK_END) >= 0 ? 0 : errno);
}

std::string DurableFile::commit() {
  const bool made = file_ >= 0;
  const std::string temporary = temporary_of(path_);
  if (error_ == 0) note(::fsync(file_) == 0 ? 0 : errno);
  if (made) close();
  if (error_ == 0) note(std::rename(temporary.c_str(), path_.c_str()) == 0 ? 0 : errno);
  if (error_ != 0) {
    if (made) ::unlink(temporary.c_str());
    return describe_failure("write", path_, error_);
  }
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int error = sync_folder(folder);
  return error == 0 ? "" : describe_failure("flush the folder of", path_, error);
}

void DurableFile::note(int error) {
  if (error_ == 0) error_ = error;
}

void DurableFile::close() {
  if (::close(file_) != 0) note(errno);
  file_ = -1;
}

std::string flush_folder(const std::string& folder) {
  const int error = sync_folder(folder);
  return error == 0 ? "" : describe_failure("flush", folder, error);
}

}  // namespace anybit
