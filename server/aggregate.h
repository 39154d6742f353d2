#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/parameters.h"
#include "server/exact_sum.h"
#include "wire/message.h"

namespace anybit {

/// The sum of one round's updates. Memory is O(model), whatever the cohort; the order of arrival never matters
/// (DESIGN D7). How a tensor is joined is its merge rule:
///  - mean, log-mean: sum of weight * delta over sum of weight, over the updates that name the tensor; the weight is
///    examples, times steps that trained it over steps taken where only some did;
///  - max: the largest delta, which is the largest value, since all clients started from the same one;
///  - sum: the deltas added up, unweighted.
class RoundSum {
 public:
  /// `uploaded`: tensors that an update may name, ascending. `cohort`: the most updates that one round may add.
  RoundSum(std::shared_ptr<const Layout> layout, std::vector<int> uploaded, const Codec* uplink, std::uint32_t cohort);

  /// Checks everything that the update says, decodes it and adds it: whole, or, returning the reason, not at all.
  std::string add(const UpdateMessage& update);

  /// Updates in the sum.
  std::uint32_t clients() const { return clients_; }
  /// Mean of their training losses weighted by examples; 0 without any.
  double train_loss() const;
  /// The joined changes, a buffer of the layout's size that lives until the next add(); zero where nobody trained.
  std::span<const float> close();
  /// Forgets all updates.
  void clear();

 private:
  /// What one update says about one tensor.
  struct Share {
    int tensor = 0;
    double weight = 0;
  };

  std::string list_shares(const UpdateMessage& update);
  std::string check_values(const UpdateMessage& update) const;
  std::span<float> scratch(const TensorSpec& tensor) {
    return std::span<float>(scratch_).subspan(tensor.offset, tensor.size);
  }
  void raise_maxima(const TensorSpec& tensor, bool first);

  std::shared_ptr<const Layout> layout_;
  std::vector<bool> may_upload_;  // by tensor
  const Codec* uplink_;
  std::uint32_t cohort_;
  std::uint32_t clients_ = 0;
  ExactSum sum_;
  std::vector<ExactScalar> denominators_;     // by tensor
  std::vector<std::uint32_t> contributions_;  // by tensor
  FloatBuffer maxima_;                        // of the layout's size where a tensor is merged by maximum
  ExactScalar examples_;
  ExactScalar loss_;
  FloatBuffer scratch_;        // an update being decoded; the closed change
  std::vector<Share> shares_;  // of the update being added
  std::vector<int> tensors_;
};

}  // namespace anybit
