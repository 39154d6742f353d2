#include "data/datasets/data_file.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "scenarios/comma_list.h"

namespace anybit {
namespace {

constexpr std::size_t kChunk = 1 << 16;
constexpr std::size_t kFirstGrowth = 1 << 20;
// Deflate packs at best 258 bytes into two bits: a bound on what a file can hold, known before it is unpacked.
constexpr std::uint64_t kMostExpansion = 1032;

std::string remedy(const std::string& set, bool named) {
  if (named) return "Name the folder that holds them with --data";
  return fmt::format(
      "Get them with 'scripts/fetch_data {}', or name their parent folder with --data-dir or ANYBIT_DATA", set);
}

}  // namespace

DataFile::DataFile(const std::string& path) : path_(path), chunk_(kChunk) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) throw DataError(path + ": there is no such file");
  size_on_disk_ = std::filesystem::file_size(path, error);
  file_.open(path, std::ios::binary);
  if (error || !file_) throw DataError(path + ": cannot be opened (check its permissions)");
  refill();
  if (chunk_size_ >= 2 && chunk_[0] == 0x1f && chunk_[1] == 0x8b) {
    gzip_ = std::make_unique<z_stream>();
    if (inflateInit2(gzip_.get(), 15 + 16) != Z_OK) throw DataError(path + ": zlib could not start");
  }
}

DataFile::~DataFile() {
  if (gzip_) inflateEnd(gzip_.get());
}

bool DataFile::refill() {
  file_.read(reinterpret_cast<char*>(chunk_.data()), static_cast<std::streamsize>(chunk_.size()));
  if (file_.bad()) throw DataError(path_ + ": could not be read");
  chunk_size_ = static_cast<std::size_t>(file_.gcount());
  chunk_position_ = 0;
  return chunk_size_ > 0;
}

void DataFile::refuse(std::uint64_t at, const std::string& reason) const {
  throw DataError(fmt::format("{}: byte {}{}: {}", path_, at, gzip_ ? " (unpacked)" : "", reason));
}

void DataFile::next_member() {
  if (chunk_[chunk_position_] != 0x1f) refuse(position_, "bytes that are not gzip follow the compressed data");
  inflateReset(gzip_.get());
  member_ended_ = false;
}

std::size_t DataFile::unpack(std::span<std::uint8_t> out) {
  z_stream& stream = *gzip_;
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  while (stream.avail_out > 0) {
    if (chunk_position_ == chunk_size_ && !refill()) {
      if (member_ended_) break;
      refuse(position_ + out.size() - stream.avail_out, "the gzip data ends early; fetch the file again");
    }
    if (member_ended_) next_member();
    stream.next_in = chunk_.data() + chunk_position_;
    stream.avail_in = static_cast<uInt>(chunk_size_ - chunk_position_);
    const int result = inflate(&stream, Z_NO_FLUSH);
    chunk_position_ = chunk_size_ - stream.avail_in;
    member_ended_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      refuse(position_ + out.size() - stream.avail_out, "the gzip data is damaged; fetch the file again");
  }
  return out.size() - stream.avail_out;
}

std::size_t DataFile::read_some(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  if (gzip_) {
    done = unpack(out);
  } else {
    while (done < out.size() && (chunk_position_ < chunk_size_ || refill())) {
      const std::size_t part = std::min(out.size() - done, chunk_size_ - chunk_position_);
      std::copy_n(chunk_.data() + chunk_position_, part, out.data() + done);
      chunk_position_ += part;
      done += part;
    }
  }
  position_ += done;
  crc_ = static_cast<std::uint32_t>(crc32_z(crc_, out.data(), done));
  return done;
}

std::vector<std::uint8_t> DataFile::read(std::uint64_t count, std::string_view what) {
  const std::uint64_t most = size_on_disk_ * (gzip_ ? kMostExpansion : 1);
  if (count > most)
    refuse(position_,
           fmt::format("{} should take {} bytes, which a file of {} bytes cannot hold", what, count, size_on_disk_));
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const std::uint64_t have = bytes.size();
    const std::uint64_t part = std::min<std::uint64_t>(count - have, std::max<std::uint64_t>(have, kFirstGrowth));
    bytes.resize(have + part);
    const std::size_t got = read_some(std::span(bytes).subspan(have));
    if (got < part)
      refuse(position_, fmt::format("the file ends inside {}: {} of {} bytes are there", what, have + got, count));
  }
  return bytes;
}

std::uint32_t DataFile::read_big_endian(std::string_view what) {
  const std::vector<std::uint8_t> b = read(4, what);
  return (std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) | (std::uint32_t{b[2]} << 8) | b[3];
}

void DataFile::expect_end() {
  std::uint8_t extra = 0;
  const std::uint64_t end = position_;
  if (read_some(std::span(&extra, 1)) > 0) refuse(end, "bytes follow where the file should end");
}

std::string DataFile::checksum() const {
  std::filesystem::path name = std::filesystem::path(path_).filename();
  if (name.extension() == ".gz") name.replace_extension();
  return fmt::format("{} {:08x} {}", name.string(), crc_, position_);
}

std::vector<std::filesystem::path> folders_of(const std::string& set, const std::vector<std::string>& directories,
                                              bool named) {
  std::vector<std::filesystem::path> folders;
  for (const std::filesystem::path directory : directories) {
    folders.push_back(directory / set);
    if (named) folders.push_back(directory);
  }
  return folders;
}

std::vector<std::string> find_data_files(const std::string& set, const std::vector<std::string>& names,
                                         const std::vector<std::string>& directories, bool named) {
  std::string lacking;  // of the first folder that has some
  for (const std::filesystem::path& folder : folders_of(set, directories, named)) {
    std::vector<std::string> paths;
    std::vector<std::string> missing;
    for (const std::string& name : names) {
      const std::string path = (folder / name).string();
      std::string found;
      for (const std::string& candidate : {path, path + ".gz"}) {
        std::error_code ignored;
        if (!std::filesystem::exists(candidate, ignored)) continue;
        found = candidate;
        break;
      }
      if (found.empty())
        missing.push_back(name);
      else
        paths.push_back(found);
    }
    if (missing.empty()) return paths;
    if (!paths.empty() && lacking.empty())
      lacking = fmt::format("{}: missing in {}", comma_list(missing), folder.string());
  }
  if (lacking.empty()) refuse_missing(set, fmt::format("{}, each plain or .gz", comma_list(names)), directories, named);
  throw DataError(fmt::format("{}: {}, neither plain nor as .gz. {}", set, lacking, remedy(set, named)));
}

void refuse_missing(const std::string& set, const std::string& expected, const std::vector<std::string>& directories,
                    bool named) {
  std::string places;
  for (const std::filesystem::path& folder : folders_of(set, directories, named))
    places += (places.empty() ? "" : ", ") + folder.string();
  throw DataError(
      fmt::format("{}: its files are in none of: {} (expected: {}). {}", set, places, expected, remedy(set, named)));
}

}  // namespace anybit
