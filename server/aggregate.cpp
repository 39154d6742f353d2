#include "server/aggregate.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "nn/parallel.h"
#include "server/strategies/strategy.h"

namespace anybit {
namespace {

/// A second thread for fewer would cost more than it saves.
constexpr std::size_t kValuesPerThread = std::size_t{1} << 16;

bool is_joined(const TensorSpec& tensor) {
  return is_merged_by_mean(tensor) || tensor.merge == Merge::kMax || tensor.merge == Merge::kSum;
}

}  // namespace

bool is_always_shifted(const TensorSpec& tensor) { return tensor.merge == Merge::kMax || is_mean_of_statistic(tensor); }

double Contribution::weight_of(const TensorSpec& tensor) const {
  return is_mean_of_statistic(tensor) ? statistics.value_or(weight) : weight;
}

double Contribution::divisor_of(const TensorSpec& tensor) const {
  return is_mean_of_statistic(tensor) ? statistics.value_or(divisor) : divisor;
}

RoundSum::RoundSum(std::shared_ptr<const Layout> layout, std::vector<int> uploaded, const Codec* uplink,
                   std::uint32_t cohort, int threads)
    : layout_(std::move(layout)),
      may_upload_(layout_->tensors().size(), false),
      uplink_(uplink),
      cohort_(cohort),
      sum_(layout_->size()),
      denominators_(layout_->tensors().size()),
      contributions_(layout_->tensors().size(), 0),
      change_(layout_->size(), 0.0F),
      threads_(threads) {
  std::size_t blocks = 0;
  for (const TensorSpec& tensor : layout_->tensors()) blocks += (tensor.size + Codec::kBlock - 1) / Codec::kBlock;
  blocks_.reserve(blocks);
  for (const int tensor : uploaded) {
    const TensorSpec& spec = layout_->tensors().at(static_cast<std::size_t>(tensor));
    if (!is_joined(spec))
      throw std::invalid_argument(spec.name + " cannot be uploaded: " + std::string(to_string(spec.merge)));
    may_upload_[static_cast<std::size_t>(tensor)] = true;
    if (spec.merge == Merge::kMax) maxima_.resize(layout_->size());
  }
}

std::string RoundSum::list_shares(const UpdateMessage& update) {
  shares_.clear();
  tensors_.clear();
  if (update.examples == 0) return "no examples";
  if (update.steps == 0) return "no steps";
  std::int64_t last = -1;
  const auto append = [&](std::uint32_t tensor, std::uint32_t steps, std::uint32_t of) {
    if (static_cast<std::int64_t>(tensor) <= last) return "tensors are not in ascending order";
    if (tensor >= may_upload_.size() || !may_upload_[tensor]) return "names a tensor that is not uploaded";
    last = tensor;
    shares_.push_back({static_cast<int>(tensor), steps, of});
    tensors_.push_back(static_cast<int>(tensor));
    return "";
  };
  for (const std::uint32_t tensor : update.tensors)
    if (const std::string reason = append(tensor, 1, 1); !reason.empty()) return reason;
  last = -1;
  for (const TensorShare& share : update.shares) {
    if (share.steps == 0 || share.steps > update.steps) return "a tensor's steps are not within the steps taken";
    if (std::ranges::binary_search(update.tensors, share.tensor)) return "names a tensor twice";
    if (const std::string reason = append(share.tensor, share.steps, update.steps); !reason.empty()) return reason;
  }
  return shares_.empty() ? "names no tensor" : "";
}

void RoundSum::append_blocks(std::size_t index, std::size_t code_at, double factor) {
  const std::size_t size = layout_->tensors()[index].size;
  for (std::size_t first = 0; first < size; first += Codec::kBlock)
    blocks_.push_back({index, first, std::min(Codec::kBlock, size - first), code_at, factor});
}

void RoundSum::list_blocks_of_shares(const Contribution& contribution) {
  blocks_.clear();
  std::size_t code_at = 0;
  for (const Share& share : shares_) {
    const auto index = static_cast<std::size_t>(share.tensor);
    const TensorSpec& tensor = layout_->tensors()[index];
    append_blocks(index, code_at, tensor.merge == Merge::kSum ? 1.0 : share.part_of(contribution.weight_of(tensor)));
    code_at += uplink_->code_bytes(tensor);
  }
}

template <class Body>
void RoundSum::for_blocks(const Body& body) const {
  std::size_t values = 0;
  for (const Block& block : blocks_) values += block.size;
  const int useful = static_cast<int>(std::min(values / kValuesPerThread, static_cast<std::size_t>(threads_)));
  const auto run = [&](std::size_t item, int) { body(blocks_[item]); };
  parallel_for(blocks_.size(), useful, std::cref(run));  // by reference: a copy would be allocated
}

std::string RoundSum::decode(const Block& block, std::span<const std::uint8_t> delta, const Contribution& contribution,
                             std::span<float> values) const {
  const TensorSpec& of = tensor(block);
  std::string reason =
      uplink_->decode_block(of, delta.subspan(block.code_at, uplink_->code_bytes(of)), block.first, values);
  const bool shifted = is_always_shifted(of) || (contribution.shifts_means && of.merge != Merge::kSum);
  if (contribution.shift.empty() || !shifted) return reason;
  const std::span<const float> shift = contribution.shift.subspan(of.offset + block.first, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += shift[i];
  return reason;
}

std::string RoundSum::check_numbers(const UpdateMessage& update, const Contribution& contribution) const {
  const double examples = update.examples;
  const double statistics = contribution.statistics.value_or(0);
  for (const double number : {examples, contribution.weight, contribution.divisor, statistics})
    if (std::string reason = ExactScalar::refuse(number, cohort_); !reason.empty()) return "examples: " + reason;
  if (!std::isfinite(update.loss)) return "loss: a value is not finite";
  if (std::string reason = ExactScalar::refuse(update.loss * examples, cohort_); !reason.empty())
    return "loss: " + reason;
  return "";
}

bool RoundSum::blocks_are_good(std::span<const std::uint8_t> delta, const Contribution& contribution) const {
  std::atomic<bool> good = true;
  for_blocks([&](const Block& block) {
    if (!good) return;
    Values room;
    const std::span<float> values = std::span(room).first(block.size);
    if (!decode(block, delta, contribution, values).empty() || !ExactSum::refuse(values, block.factor, cohort_).empty())
      good = false;
  });
  return good;
}

/// Why an update is refused that has the right size: of several reasons always the same one.
std::string RoundSum::first_reason(const UpdateMessage& update, const Contribution& contribution) const {
  Values room;
  for (const Block& block : blocks_)
    if (std::string reason = decode(block, update.delta, contribution, std::span(room).first(block.size));
        !reason.empty())
      return reason;
  if (std::string reason = check_numbers(update, contribution); !reason.empty()) return reason;
  for (const Block& block : blocks_) {
    const std::span<float> values = std::span(room).first(block.size);
    (void)decode(block, update.delta, contribution, values);
    if (const std::string reason = ExactSum::refuse(values, block.factor, cohort_); !reason.empty())
      return tensor(block).name + ": " + reason;
  }
  return "";
}

void RoundSum::add_block(const Block& block, std::span<const float> values) {
  const TensorSpec& of = tensor(block);
  const std::size_t begin = of.offset + block.first;
  if (of.merge != Merge::kMax) return sum_.add(begin, values, block.factor);
  const bool first = contributions_[block.tensor] == 0;
  const std::span<float> maxima = std::span<float>(maxima_).subspan(begin, values.size());
  // + 0 turns -0 into 0: between the two a maximum would depend on the order.
  for (std::size_t i = 0; i < values.size(); ++i)
    maxima[i] = first ? values[i] + 0.0F : std::max(maxima[i], values[i] + 0.0F);
}

std::string RoundSum::add(const UpdateMessage& update) {
  const double examples = update.examples;
  return add(update, {.weight = examples, .divisor = examples});
}

std::string RoundSum::add(const UpdateMessage& update, const Contribution& contribution) {
  if (clients_ == cohort_) return "the round is full";
  if (update.layout != layout_->digest()) return "layout of another network";
  if (std::string reason = list_shares(update); !reason.empty()) return reason;
  if (std::string reason = uplink_->check_size(*layout_, tensors_, update.delta.size()); !reason.empty()) return reason;
  list_blocks_of_shares(contribution);
  if (!check_numbers(update, contribution).empty() || !blocks_are_good(update.delta, contribution)) {
    std::string reason = first_reason(update, contribution);
    assert(!reason.empty());
    return reason;
  }

  for_blocks([&](const Block& block) {
    Values room;
    const std::span<float> values = std::span(room).first(block.size);
    [[maybe_unused]] const std::string reason = decode(block, update.delta, contribution, values);
    assert(reason.empty());
    add_block(block, values);
  });
  for (const Share& share : shares_) {
    const auto index = static_cast<std::size_t>(share.tensor);
    denominators_[index].add(share.part_of(contribution.divisor_of(layout_->tensors()[index])));
    ++contributions_[index];
  }
  examples_.add(update.examples);
  loss_.add(update.loss * static_cast<double>(update.examples));
  ++clients_;
  return "";
}

double RoundSum::train_loss() const { return clients_ == 0 ? 0.0 : loss_.value() / examples_.value(); }

void RoundSum::close_block(const Block& block) {
  const TensorSpec& of = tensor(block);
  const std::size_t begin = of.offset + block.first;
  const std::span<float> change = std::span<float>(change_).subspan(begin, block.size);
  const double denominator = of.merge == Merge::kSum ? 1.0 : denominators_[block.tensor].value();
  if (contributions_[block.tensor] == 0 || (of.merge != Merge::kMax && denominator == 0)) {
    std::ranges::fill(change, 0.0F);
  } else if (of.merge == Merge::kMax) {
    std::copy_n(maxima_.begin() + static_cast<std::ptrdiff_t>(begin), block.size, change.begin());
  } else {
    sum_.close(begin, denominator, change);
  }
}

std::span<const float> RoundSum::close() {
  blocks_.clear();
  for (std::size_t index = 0; index < layout_->tensors().size(); ++index) append_blocks(index, 0, 0);
  for_blocks([&](const Block& block) { close_block(block); });
  return change_;
}

void RoundSum::clear() {
  clients_ = 0;
  sum_.clear();
  std::ranges::fill(denominators_, ExactScalar{});
  std::ranges::fill(contributions_, 0U);
  examples_.clear();
  loss_.clear();
}

}  // namespace anybit
