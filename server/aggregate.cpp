#include "server/aggregate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace anybit {
namespace {

bool is_joined(Merge merge) {
  return merge == Merge::kMean || merge == Merge::kLogMean || merge == Merge::kMax || merge == Merge::kSum;
}

}  // namespace

RoundSum::RoundSum(std::shared_ptr<const Layout> layout, std::vector<int> uploaded, const Codec* uplink,
                   std::uint32_t cohort)
    : layout_(std::move(layout)),
      may_upload_(layout_->tensors().size(), false),
      uplink_(uplink),
      cohort_(cohort),
      sum_(layout_->size()),
      denominators_(layout_->tensors().size()),
      contributions_(layout_->tensors().size(), 0),
      scratch_(layout_->size(), 0.0F) {
  for (const int tensor : uploaded) {
    const TensorSpec& spec = layout_->tensors().at(static_cast<std::size_t>(tensor));
    if (!is_joined(spec.merge))
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
  const double examples = update.examples;
  std::int64_t last = -1;
  const auto append = [&](std::uint32_t tensor, double weight) {
    if (static_cast<std::int64_t>(tensor) <= last) return "tensors are not in ascending order";
    if (tensor >= may_upload_.size() || !may_upload_[tensor]) return "names a tensor that is not uploaded";
    last = tensor;
    shares_.push_back({static_cast<int>(tensor), weight});
    tensors_.push_back(static_cast<int>(tensor));
    return "";
  };
  for (const std::uint32_t tensor : update.tensors)
    if (const std::string reason = append(tensor, examples); !reason.empty()) return reason;
  last = -1;
  for (const TensorShare& share : update.shares) {
    if (share.steps == 0 || share.steps > update.steps) return "a tensor's steps are not within the steps taken";
    if (std::ranges::binary_search(update.tensors, share.tensor)) return "names a tensor twice";
    const double weight = examples * static_cast<double>(share.steps) / static_cast<double>(update.steps);
    if (const std::string reason = append(share.tensor, weight); !reason.empty()) return reason;
  }
  return shares_.empty() ? "names no tensor" : "";
}

std::string RoundSum::check_values(const UpdateMessage& update) const {
  const double examples = update.examples;
  if (std::string reason = ExactScalar::refuse(examples, cohort_); !reason.empty()) return "examples: " + reason;
  if (!std::isfinite(update.loss)) return "loss: a value is not finite";
  if (std::string reason = ExactScalar::refuse(update.loss * examples, cohort_); !reason.empty())
    return "loss: " + reason;
  for (const Share& share : shares_) {
    const TensorSpec& tensor = layout_->tensors()[static_cast<std::size_t>(share.tensor)];
    const std::span<const float> values = std::span<const float>(scratch_).subspan(tensor.offset, tensor.size);
    const double weight = tensor.merge == Merge::kSum ? 1.0 : share.weight;
    if (std::string reason = ExactSum::refuse(values, weight, cohort_); !reason.empty())
      return tensor.name + ": " + reason;
  }
  return "";
}

void RoundSum::raise_maxima(const TensorSpec& tensor, bool first) {
  const std::span<const float> values = scratch(tensor);
  const std::span<float> maxima = std::span<float>(maxima_).subspan(tensor.offset, tensor.size);
  // + 0 turns -0 into 0: between the two a maximum would depend on the order.
  for (std::size_t i = 0; i < values.size(); ++i)
    maxima[i] = first ? values[i] + 0.0F : std::max(maxima[i], values[i] + 0.0F);
}

std::string RoundSum::add(const UpdateMessage& update) {
  if (clients_ == cohort_) return "the round is full";
  if (update.layout != layout_->digest()) return "layout of another network";
  if (std::string reason = list_shares(update); !reason.empty()) return reason;
  if (std::string reason = uplink_->decode(*layout_, tensors_, update.delta, scratch_); !reason.empty()) return reason;
  if (std::string reason = check_values(update); !reason.empty()) return reason;

  for (const Share& share : shares_) {
    const auto index = static_cast<std::size_t>(share.tensor);
    const TensorSpec& tensor = layout_->tensors()[index];
    if (tensor.merge == Merge::kMax) {
      raise_maxima(tensor, contributions_[index] == 0);
    } else {
      sum_.add(tensor.offset, scratch(tensor), tensor.merge == Merge::kSum ? 1.0 : share.weight);
    }
    denominators_[index].add(share.weight);
    ++contributions_[index];
  }
  examples_.add(update.examples);
  loss_.add(update.loss * static_cast<double>(update.examples));
  ++clients_;
  return "";
}

double RoundSum::train_loss() const { return clients_ == 0 ? 0.0 : loss_.value() / examples_.value(); }

std::span<const float> RoundSum::close() {
  for (std::size_t index = 0; index < contributions_.size(); ++index) {
    const TensorSpec& tensor = layout_->tensors()[index];
    const std::span<float> change = scratch(tensor);
    if (contributions_[index] == 0) {
      std::ranges::fill(change, 0.0F);
    } else if (tensor.merge == Merge::kMax) {
      std::copy_n(maxima_.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.size, change.begin());
    } else {
      sum_.close(tensor.offset, tensor.merge == Merge::kSum ? 1.0 : denominators_[index].value(), change);
    }
  }
  return scratch_;
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
