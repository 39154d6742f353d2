// Any bytes as a checkpoint: refused by a CheckpointError, or a federation whose numbers are finite. An odd first byte
// has the checksums put right, so that what they protect is reached.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "server/checkpoint.h"
#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/memory_file.h"

using namespace anybit;

namespace {

// Of the format in server/checkpoint.cpp.
constexpr std::size_t kTableAt = 16;
constexpr std::size_t kRow = 16;  // tag, checksum, length
constexpr std::size_t kRowsAt = 12;

void put(Bytes& file, std::size_t at, std::uint32_t value) { std::memcpy(file.data() + at, &value, sizeof value); }

/// Puts right checksums into a file whose lengths are believed as far as its bytes go.
void seal_checkpoint(Bytes& file) {
  const std::size_t told = file.size() > kRowsAt ? file[kRowsAt] : 0;
  const std::size_t rows = told == 8 || told == 11 ? told : 6;  // by the version of the format
  const std::size_t sum_at = kTableAt + rows * kRow;
  if (file.size() < sum_at + 4) return;
  std::size_t at = sum_at + 4;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data() + kTableAt + row * kRow + 8, sizeof length);
    const std::size_t there = static_cast<std::size_t>(std::min<std::uint64_t>(length, file.size() - at));
    put(file, kTableAt + row * kRow + 4, crc32c(std::span(file).subspan(at, there)));
    at += there;
  }
  put(file, sum_at, crc32c(std::span(file).first(sum_at)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto layout = std::make_shared<const Layout>(std::vector<TensorSpec>{{.name = "w", .shape = {3}}});
  FuzzBytes input(data, size);
  const bool sealed = input.byte() % 2 == 1;
  const std::span<const std::uint8_t> rest = input.rest();
  Bytes bytes(rest.begin(), rest.end());
  if (sealed) seal_checkpoint(bytes);
  const MemoryFile file(bytes);
  try {
    Checkpoint checkpoint = read_checkpoint(file.path());
    for (const float value : checkpoint.state.global.values) require(std::isfinite(value), "parameters are finite");
    require(checkpoint.scenario.size() + 4 * checkpoint.state.global.values.size() <= size, "no more than was there");
    attach_layout(checkpoint, layout, file.path());
  } catch (const CheckpointError& error) {
    require(error.what()[0] != '\0', "a refusal has a reason");
  }
  return 0;
}
