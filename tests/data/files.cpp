#include "files.h"

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace anybit {
namespace {

void append_big_endian(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "anybit-data-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const Bytes& bytes) const {
  const std::filesystem::path path = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return path.string();
}

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  Bytes out(bytes.size() + bytes.size() / 100 + 100);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  Bytes bytes;
  for (const std::uint32_t word : {0x803U, count, height, width}) append_big_endian(bytes, word);
  for (std::uint32_t i = 0; i < count * height * width; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

Bytes idx_labels(const Bytes& labels) {
  Bytes bytes;
  append_big_endian(bytes, 0x801);
  append_big_endian(bytes, static_cast<std::uint32_t>(labels.size()));
  bytes.insert(bytes.end(), labels.begin(), labels.end());
  return bytes;
}

void write_idx_set(const Folder& folder, const std::string& set, std::uint32_t training, std::uint32_t test) {
  const auto write = [&](const std::string& name, std::uint32_t count) {
    Bytes labels;
    for (std::uint32_t i = 0; i < count; ++i) labels.push_back(static_cast<std::uint8_t>(i % 10));
    folder.write(set + "/" + name + "-images-idx3-ubyte", idx_images(count, 2, 2));
    folder.write(set + "/" + name + "-labels-idx1-ubyte.gz", gzipped(idx_labels(labels)));
  };
  write("train", training);
  write("t10k", test);
}

std::string real_data(const std::string& set) {
  const char* folder = std::getenv("ANYBIT_DATA");
  return folder && std::filesystem::is_directory(std::filesystem::path(folder) / set) ? folder : "";
}

}  // namespace anybit
