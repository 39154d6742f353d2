#include "data/datasets/idx.h"

#include <fmt/core.h>

#include "data/datasets/data_file.h"
#include "data/datasets/file_options.h"

namespace anybit {
namespace {

constexpr std::uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, one dimension
constexpr std::uint32_t kMostSide = 4096;

void expect_magic(DataFile& file, std::uint32_t expected) {
  const std::uint32_t found = file.read_big_endian("the magic number");
  if (found != expected)
    file.refuse(0,
                fmt::format("not an idx file of this kind: magic number {:#010x}, expected {:#010x}", found, expected));
}

void read_images(DataFile& file, ExamplePool& pool) {
  expect_magic(file, kImagesMagic);
  const std::uint64_t count = file.read_big_endian("the number of images");
  const std::uint32_t height = file.read_big_endian("the height");
  const std::uint32_t width = file.read_big_endian("the width");
  if (height < 1 || width < 1 || height > kMostSide || width > kMostSide)
    file.refuse(8, fmt::format("images of {} x {} pixels; expected 1 to {} a side", height, width, kMostSide));
  pool.shape = {static_cast<int>(height), static_cast<int>(width), 1};
  // At most 2^32 x 2^24, so the product cannot wrap.
  pool.pixels = file.read(count * height * width, fmt::format("{} images", count));
  file.expect_end();
}

void read_labels(DataFile& file, int classes, ExamplePool& pool) {
  expect_magic(file, kLabelsMagic);
  const std::uint64_t count = file.read_big_endian("the number of labels");
  const std::uint64_t begin = file.position();
  pool.labels = file.read(count, fmt::format("{} labels", count));
  for (std::size_t i = 0; i < pool.labels.size(); ++i)
    if (pool.labels[i] >= classes)
      file.refuse(begin + i, fmt::format("label {}; expected 0 to {}", pool.labels[i], classes - 1));
  file.expect_end();
}

Dataset make_idx(const std::string& set, Normalization normalization, const Options& options,
                 const DatasetSource& source) {
  const std::size_t limit = read_limit(options);
  std::vector<std::string> names = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                    "t10k-labels-idx1-ubyte"};
  if (source.training_only) names.resize(2);
  const std::vector<std::string> paths = find_data_files(set, names, source.directories, source.named);
  Dataset made;
  made.classes = 10;
  made.normalization = normalization;
  made.training = read_idx(paths[0], paths[1], made.classes, made.checksums);
  made.shape = made.training.shape;
  keep_first(made.training, limit);
  if (source.training_only) return made;
  made.test = read_idx(paths[2], paths[3], made.classes, made.checksums);
  if (!(made.test.shape == made.shape))
    throw DataError(fmt::format("{}: test images of {} x {} pixels, but training images of {} x {}", paths[2],
                                made.test.shape.height, made.test.shape.width, made.shape.height, made.shape.width));
  return made;
}

}  // namespace

ExamplePool read_idx(const std::string& images_path, const std::string& labels_path, int classes,
                     std::vector<std::string>& checksums) {
  ExamplePool pool;
  DataFile images(images_path);
  read_images(images, pool);
  DataFile labels(labels_path);
  read_labels(labels, classes, pool);
  const std::size_t count = pool.pixels.size() / pool.shape.size();
  if (count != pool.labels.size())
    labels.refuse(4, fmt::format("{} labels, but {} has {} images", pool.labels.size(), images_path, count));
  if (count == 0) images.refuse(4, "the file holds no images");
  pool.indices = all_indices(count);
  checksums.push_back(images.checksum());
  checksums.push_back(labels.checksum());
  return pool;
}

DatasetTable::Row mnist_row() {
  return {{"mnist",
           "handwritten digits, 28 x 28 grey, 60,000 + 10,000, from files",
           "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998",
           {limit_option()}},
          [](const Options& options, const DatasetSource& source) {
            return make_idx("mnist", {{0.1307F}, {0.3081F, 1.0F, 1.0F}}, options, source);
          }};
}

DatasetTable::Row fashion_mnist_row() {
  return {{"fashion-mnist",
           "articles of clothing, 28 x 28 grey, 10 classes, 60,000 + 10,000, from files",
           "Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017",
           {limit_option()}},
          [](const Options& options, const DatasetSource& source) {
            return make_idx("fashion-mnist", {{0.2860F}, {0.3530F, 1.0F, 1.0F}}, options, source);
          }};
}

}  // namespace anybit
