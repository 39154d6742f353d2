#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/parameters.h"
#include "server/exact_sum.h"
#include "wire/message.h"

namespace anybit {

/// Whether an update that starts from other parameters than the current ones is shifted there, be it not towards them:
/// maxima and running statistics are values, not directions.
bool is_always_shifted(const TensorSpec& tensor);

/// How much an update counts in a sum, and what it is shifted by.
struct Contribution {
  double weight = 1;   // of its values
  double divisor = 1;  // that it adds to the denominator of a mean
  /// Both, of statistics that are merged by a mean; none: as of all others.
  std::optional<double> statistics = {};
  /// Of the layout's size, added to the update's changes where they start from other parameters than the sum's: those
  /// minus these. For what is_always_shifted(), for other means where `shifts_means`. Empty: nothing.
  std::span<const float> shift = {};
  bool shifts_means = false;

  double weight_of(const TensorSpec& tensor) const;
  double divisor_of(const TensorSpec& tensor) const;
};

/// The sum of one round's updates. Memory is O(model), whatever the cohort; the order of arrival never matters
/// (DESIGN D7). How a tensor is joined is its merge rule:
///  - mean, log-mean: sum of weight * delta over sum of divisors, over the updates that name the tensor; both times
///    steps that trained it over steps taken where only some did;
///  - max: the largest delta, which is the largest value, since all start from the same one or are shifted to it;
///  - sum: the deltas added up, unweighted.
///
/// An update is never decoded whole, but in blocks that fit the first-level cache, and twice: all are checked before
/// the first is added. Sums are of integers, so that threads share the blocks without a trace in the bits.
class RoundSum {
 public:
  /// `uploaded`: tensors that an update may name, ascending. `cohort`: the most updates that one round may add.
  /// `threads`: the most that share one call; a small model stays on the caller's.
  RoundSum(std::shared_ptr<const Layout> layout, std::vector<int> uploaded, const Codec* uplink, std::uint32_t cohort,
           int threads = 1);

  /// Checks everything that the update says, decodes it and adds it: whole, or, returning the reason, not at all.
  /// Its bytes must not change meanwhile. Allocates nothing after the first.
  std::string add(const UpdateMessage& update, const Contribution& contribution);
  /// The same by examples (McMahan et al. 2017): the number of them is weight and divisor.
  std::string add(const UpdateMessage& update);

  /// Updates in the sum.
  std::uint32_t clients() const { return clients_; }
  /// Mean of their training losses weighted by examples; 0 without any.
  double train_loss() const;
  /// The joined changes, a buffer of the layout's size that lives until the next close(); zero where nobody trained.
  std::span<const float> close();
  /// Forgets all updates.
  void clear();

 private:
  /// What one update says about one tensor.
  struct Share {
    int tensor = 0;
    std::uint32_t steps = 1;  // that trained it,
    std::uint32_t of = 1;     // of so many

    double part_of(double weight) const { return weight * static_cast<double>(steps) / static_cast<double>(of); }
  };

  /// Some of a tensor's values, as many as a codec decodes at once.
  struct Block {
    std::size_t tensor = 0;
    std::size_t first = 0;
    std::size_t size = 0;
    std::size_t code_at = 0;  // where the tensor's code begins in the delta
    double factor = 0;        // of its values in the sum
  };
  using Values = std::array<float, Codec::kBlock>;

  std::string list_shares(const UpdateMessage& update);
  void list_blocks_of_shares(const Contribution& contribution);
  void append_blocks(std::size_t tensor, std::size_t code_at, double factor);
  /// Runs body(block) for all blocks that are listed.
  template <class Body>
  void for_blocks(const Body& body) const;

  const TensorSpec& tensor(const Block& block) const { return layout_->tensors()[block.tensor]; }
  std::string decode(const Block& block, std::span<const std::uint8_t> delta, const Contribution& contribution,
                     std::span<float> values) const;
  std::string check_numbers(const UpdateMessage& update, const Contribution& contribution) const;
  bool blocks_are_good(std::span<const std::uint8_t> delta, const Contribution& contribution) const;
  std::string first_reason(const UpdateMessage& update, const Contribution& contribution) const;
  void add_block(const Block& block, std::span<const float> values);
  void close_block(const Block& block);

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
  FloatBuffer change_;         // what was closed last
  std::vector<Share> shares_;  // of the update being added
  std::vector<int> tensors_;
  std::vector<Block> blocks_;  // of the update being added, or of all tensors while closing
  int threads_;
};

}  // namespace anybit
