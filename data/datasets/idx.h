#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/datasets/dataset.h"

namespace anybit {

/// Grey images and their labels from two idx files (LeCun, Cortes and Burges, The MNIST database), plain or gzipped:
/// images  00 00 08 03, count, height, width, then count x height x width bytes;
/// labels  00 00 08 01, count, then count bytes; all numbers 32 bits, most significant byte first.
/// Labels must be below `classes`. Throws DataError. Checksums of both files are appended to `checksums`.
ExamplePool read_idx(const std::string& images_path, const std::string& labels_path, int classes,
                     std::vector<std::string>& checksums);

DatasetTable::Row mnist_row();
DatasetTable::Row fashion_mnist_row();

}  // namespace anybit
