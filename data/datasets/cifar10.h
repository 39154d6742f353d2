#pragma once

#include <string>
#include <vector>

#include "data/datasets/dataset.h"

namespace anybit {

/// Appends the records of one CIFAR-10 binary file (Krizhevsky 2009), plain or gzipped, any number of them: a label
/// byte 0..9, then 1024 red, 1024 green and 1024 blue bytes, row by row. Pixels come out as 32 x 32 x 3.
/// Returns the file's checksum line. Throws DataError, also for more than `most` records: a gzip file of a few
/// megabytes can hold more than a machine has memory for.
std::string read_cifar10(const std::string& path, ExamplePool& pool, std::size_t most = std::size_t{1} << 22);

DatasetTable::Row cifar10_row();

}  // namespace anybit
