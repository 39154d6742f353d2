#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/data_error.h"

namespace anybit {

using Bytes = std::vector<std::uint8_t>;

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A folder that is gone when the test ends.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  /// Writes a file below the folder and returns its path.
  std::string write(const std::string& name, const Bytes& bytes) const;

 private:
  std::string path_;
};

Bytes gzipped(const Bytes& bytes);
/// `count` big-endian images of height x width whose pixels are 0, 1, 2, ... (wrapping).
Bytes idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width);
Bytes idx_labels(const Bytes& labels);
/// The four files of an idx set with images of 2 x 2: `training` examples (labels 0 1 2 ... 9 0 1 ...) and `test`.
void write_idx_set(const Folder& folder, const std::string& set, std::uint32_t training, std::uint32_t test);

/// What the DataError of `read` says; "" where it throws none.
template <class Read>
std::string data_error(Read read) {
  try {
    read();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

/// $ANYBIT_DATA where it is a folder that holds the set, else "".
std::string real_data(const std::string& set);

}  // namespace anybit
