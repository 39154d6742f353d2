#include "nn/parameters.h"

#include <limits>
#include <stdexcept>

namespace anybit {
namespace {

/// FNV-1a, 64 bits.
class Digest {
 public:
  void byte(std::uint8_t value) { hash_ = (hash_ ^ value) * 0x100000001B3ULL; }
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void text(std::string_view value) {
    number(value.size());
    for (const char c : value) byte(static_cast<std::uint8_t>(c));
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

std::size_t element_count(const TensorSpec& tensor) {
  std::size_t count = 1;
  for (const int extent : tensor.shape) {
    if (extent < 1) throw std::invalid_argument("tensor " + tensor.name + ": extents must be positive");
    if (count > std::numeric_limits<std::size_t>::max() / 64 / static_cast<std::size_t>(extent))
      throw std::invalid_argument("tensor " + tensor.name + " is too large");
    count *= static_cast<std::size_t>(extent);
  }
  return count;
}

void check_channels(const TensorSpec& tensor) {
  if (tensor.channels < 1 || tensor.channel_stride < 1)
    throw std::invalid_argument("tensor " + tensor.name + ": channels and their stride must be positive");
  const auto period = static_cast<std::size_t>(tensor.channels) * static_cast<std::size_t>(tensor.channel_stride);
  if (tensor.channels > 1 && tensor.size % period != 0)
    throw std::invalid_argument("tensor " + tensor.name + ": channels do not divide its elements");
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kWeight: return "weight";
    case Role::kBias: return "bias";
    case Role::kNorm: return "norm";
    case Role::kQuantizer: return "quantizer";
    case Role::kStatistic: return "statistic";
  }
  return "unknown";
}

std::string_view to_string(Merge merge) {
  switch (merge) {
    case Merge::kMean: return "mean";
    case Merge::kLogMean: return "log-mean";
    case Merge::kMax: return "max";
    case Merge::kSum: return "sum";
    case Merge::kServer: return "server";
    case Merge::kRecompute: return "recompute";
    case Merge::kLocal: return "local";
  }
  return "unknown";
}

Layout::Layout(std::vector<TensorSpec> tensors) : tensors_(std::move(tensors)) {
  Digest digest;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    TensorSpec& tensor = tensors_[i];
    for (std::size_t earlier = 0; earlier < i; ++earlier)
      if (tensors_[earlier].name == tensor.name) throw std::invalid_argument("two tensors are named " + tensor.name);
    tensor.size = element_count(tensor);
    check_channels(tensor);
    tensor.offset = size_;
    size_ += tensor.size;
    digest.text(tensor.name);
    digest.number(tensor.shape.size());
    for (const int extent : tensor.shape) digest.number(static_cast<std::uint64_t>(extent));
    digest.byte(static_cast<std::uint8_t>(tensor.role));
    digest.byte(static_cast<std::uint8_t>(tensor.merge));
  }
  digest_ = digest.value();
}

int Layout::index(std::string_view name) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].name == name) return static_cast<int>(i);
  throw std::out_of_range("no tensor named " + std::string(name));
}

}  // namespace anybit
