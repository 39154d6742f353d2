#include "data/datasets/cifar10.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <span>

#include "data/datasets/data_file.h"
#include "data/datasets/file_options.h"
#include "nn/parallel.h"

namespace anybit {
namespace {

constexpr int kClasses = 10;
constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kImage = 3 * kPlane;
constexpr std::size_t kRecord = 1 + kImage;
constexpr std::size_t kRecordsAtOnce = 64;

void append_record(std::span<const std::uint8_t> record, ExamplePool& pool) {
  pool.labels.push_back(record[0]);
  const std::size_t begin = pool.pixels.size();
  pool.pixels.resize(begin + kImage);
  std::uint8_t* out = pool.pixels.data() + begin;
  for (std::size_t pixel = 0; pixel < kPlane; ++pixel)
    for (std::size_t colour = 0; colour < 3; ++colour) *out++ = record[1 + colour * kPlane + pixel];
}

/// Names such as data_batch_2.bin and data_batch_10.bin.gz of a folder, by number; plain wins over packed.
std::vector<std::string> batch_files(const std::filesystem::path& folder, const std::string& prefix) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    if (name.starts_with(prefix) && name.ends_with(".bin")) names.push_back(name);
  }
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());

  std::vector<std::string> paths;
  for (const std::string& name : names) {
    const std::string plain = (folder / name).string();
    paths.push_back(std::filesystem::exists(plain, ignored) ? plain : plain + ".gz");
  }
  return paths;
}

void append(ExamplePool& all, ExamplePool& part) {
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
  all.pixels.insert(all.pixels.end(), part.pixels.begin(), part.pixels.end());
  part = {};
}

Dataset make_cifar10(const Options& options, const DatasetSource& source) {
  const std::size_t limit = read_limit(options);
  std::vector<std::string> paths;
  std::size_t training_files = 0;
  for (const std::filesystem::path& folder : folders_of("cifar-10", source.directories, source.named)) {
    paths = batch_files(folder, "data_batch_");
    training_files = paths.size();
    const std::vector<std::string> test =
        source.training_only ? std::vector<std::string>() : batch_files(folder, "test_batch");
    std::copy(test.begin(), test.end(), std::back_inserter(paths));
    if (training_files > 0 && (source.training_only || !test.empty())) break;
    paths.clear();
  }
  if (paths.empty())
    refuse_missing("cifar-10", "data_batch_*.bin and test_batch*.bin, each plain or .gz", source.directories,
                   source.named);

  std::vector<ExamplePool> parts(paths.size());
  Dataset made;
  made.checksums.resize(paths.size());
  parallel_for(paths.size(), hardware_threads(),
               [&](std::size_t i, int) { made.checksums[i] = read_cifar10(paths[i], parts[i]); });
  made.shape = made.training.shape = made.test.shape = {32, 32, 3};
  made.classes = kClasses;
  made.normalization = {{0.49140F, 0.48216F, 0.44653F}, {0.24703F, 0.24349F, 0.26159F}};
  for (std::size_t i = 0; i < parts.size(); ++i) append(i < training_files ? made.training : made.test, parts[i]);
  made.training.indices = all_indices(made.training.labels.size());
  made.test.indices = all_indices(made.test.labels.size());
  keep_first(made.training, limit);
  return made;
}

}  // namespace

std::string read_cifar10(const std::string& path, ExamplePool& pool, std::size_t most) {
  DataFile file(path);
  std::vector<std::uint8_t> block(kRecordsAtOnce * kRecord);
  std::size_t got = 0;
  const std::size_t before = pool.labels.size();
  do {
    const std::uint64_t begin = file.position();
    got = file.read_some(block);
    for (std::size_t at = 0; at < got; at += kRecord) {
      if (got - at < kRecord)
        file.refuse(begin + at, fmt::format("a record of {} bytes; expected {}", got - at, kRecord));
      if (block[at] >= kClasses) file.refuse(begin + at, fmt::format("label {}; expected 0 to 9", block[at]));
      if (pool.labels.size() - before == most) file.refuse(begin + at, fmt::format("more than {} records", most));
      append_record(std::span(block).subspan(at, kRecord), pool);
    }
  } while (got == block.size());
  if (file.position() == 0) file.refuse(0, "the file holds no records");
  return file.checksum();
}

DatasetTable::Row cifar10_row() {
  return {{"cifar-10",
           "photographs, 32 x 32 colour, 10 classes, 50,000 + 10,000, from files in the binary version",
           "Krizhevsky, Learning multiple layers of features from tiny images, 2009",
           {limit_option()}},
          make_cifar10};
}

}  // namespace anybit
