#include "server/record/output_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

#include "program/durable_file.h"

namespace anybit {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  const char* hint = error == ENOSPC ? "; free some space, then resume the run" : "";
  throw RunError(fmt::format("{}: cannot write: {}{}", path.string(), std::strerror(error), hint));
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "ab")) {
  if (!file_) fail(path_, errno);
}

void OutputFile::write_line(std::string_view line) {
  const bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size();
  if (!written || std::fputc('\n', file_.get()) == EOF) fail(path_, errno);
}

void OutputFile::flush() {
  if (std::fflush(file_.get()) != 0) fail(path_, errno);
}

void OutputFile::sync() {
  flush();
  // EINVAL: the file is no file of a disk (a pipe, /dev/null), so there is nothing to wait for.
  if (::fsync(::fileno(file_.get())) != 0 && errno != EINVAL) fail(path_, errno);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::string failure = write_durably(path.string(), {std::span(bytes, text.size())});
  if (!failure.empty()) throw RunError(failure);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw RunError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace anybit
