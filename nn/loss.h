#pragma once

#include <cstdint>
#include <span>

namespace anybit {

/// Mean loss and number of right answers of a batch.
struct Score {
  double loss = 0;  // mean over the batch's live examples
  int correct = 0;  // argmax of the outputs equals the label; the lowest index wins a tie
};

/// A loss on a network's outputs. `outputs` and `gradient` are live x classes, row by row.
class Loss {
 public:
  virtual ~Loss() = default;
  /// Returns the mean loss over rows and writes dloss/doutputs into `gradient`.
  virtual Score apply(std::span<const float> outputs, std::span<const std::uint8_t> labels, int classes,
                      std::span<float> gradient) const = 0;
};

/// Softmax with cross entropy, mean over the batch; exp is our fixed one.
class CrossEntropy final : public Loss {
 public:
  Score apply(std::span<const float> outputs, std::span<const std::uint8_t> labels, int classes,
              std::span<float> gradient) const override;
};

/// Right answers of live x classes outputs.
int count_correct(std::span<const float> outputs, std::span<const std::uint8_t> labels, int classes);

}  // namespace anybit
