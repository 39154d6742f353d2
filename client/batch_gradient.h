#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "client/training.h"
#include "data/examples.h"
#include "nn/optimizers/groups.h"

namespace anybit {

/// The gradient of a client's batches, each cut into chunks of samples (wire/chunks.h): the mean of the chunks' losses
/// and gradients, weighted by their samples, in the order of the chunks. Every chunk has a workspace, a slot program
/// and a gradient buffer of its own, so the bits are the same whichever threads work on them, and however many. One
/// chunk is the plain gradient at no cost.
///
/// All chunks draw by the same names: weights are quantized alike in each, and what draws for samples (dropout) counts
/// them from Batch::first on, so that every sample draws what it would in the whole batch.
class BatchGradient {
 public:
  /// Makes all buffers. `chunks`: 1 to the batch's size.
  BatchGradient(const TrainingPlan& plan, std::uint32_t chunks);
  ~BatchGradient();

  /// See Workspace::watch(); for one chunk only.
  void watch(NodeTimes* times);

  std::uint32_t chunks() const { return static_cast<std::uint32_t>(lanes_.size()); }

  /// A new client, with the parameters that it starts from, played by at most so many threads.
  void begin_client(std::span<const float> parameters, int threads);
  /// The next batch: examples picks[0..n) of the view, n at most the plan's batch.
  void gather(const ExamplesView& examples, std::span<const std::uint32_t> picks, const Normalization& normalization);
  /// The gathered batch's gradient at these widths, into `into`, of the layout's size. Running statistics are moved in
  /// `parameters` where `update_statistics`.
  Score at(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
           std::span<float> into, bool update_statistics);
  /// The gradient and a plain step along it at once, with the bits of at() and that step: see anybit::descend(). Where
  /// chunks are added up, the step is taken on what is just summed, and the sum is written nowhere. `scratch` has the
  /// layout's size.
  Score descend(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
                const PlainStep& step, std::span<float> scratch);
  /// See SlotProgram::count_trained().
  void count_trained(std::span<std::uint32_t> steps) const;
  /// Of all that it holds.
  std::size_t bytes() const;
  /// Samples of the gathered batch.
  std::size_t live() const { return live_; }

 private:
  struct Lane;
  PassSettings prepare(Lane& lane, std::span<const std::uint8_t> widths, const Moment& moment,
                       std::span<float> statistics) const;
  const Loss& loss() const;
  Score gradients_of_chunks(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
                            std::span<float> first, bool update_statistics);
  void sum_chunks(std::span<const float> first, std::size_t begin, std::span<float> sum) const;
  void add_up(std::span<float> into) const;
  void step_along_sum(std::span<float> parameters, const PlainStep& step, std::span<const float> first) const;

  const TrainingPlan& plan_;
  CrossEntropy cross_entropy_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<TensorRun> pieces_;  // what a thread steps along at once, where there are chunks
  std::size_t used_ = 0;           // lanes that the gathered batch has samples for
  std::size_t live_ = 0;
  int threads_ = 1;
};

}  // namespace anybit
