#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "nn/kernels/kernels.h"
#include "nn/loss.h"
#include "nn/network.h"
#include "nn/node_times.h"

namespace anybit {

/// A gathered batch: `labels.size()` live examples, images NHWC and normalised, in a buffer with room for the
/// workspace's whole batch (rows beyond the live ones are ignored and may be overwritten with zeros).
struct Batch {
  std::span<float> images;
  std::span<const std::uint8_t> labels;
  int first = 0;  // place of its first example in the step's batch, where that is cut into chunks (DESIGN D3)
  int live() const { return static_cast<int>(labels.size()); }
};

enum class Mode : std::uint8_t { kTraining, kInference };

/// All that one thread needs to run a network: activations, scratch, prepared kernels for a ladder of batch sizes
/// (batch, batch/2, ..., 1). A smaller batch runs on the next larger rung, its missing rows zero and without gradient:
/// so no batch size allocates or prepares anything after construction. For one thread at a time, whichever it
/// is (DESIGN D3).
class Workspace {
 public:
  Workspace(std::shared_ptr<const Network> network, int batch, Mode mode);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  const Network& network() const;
  int batch() const;
  /// Bytes of activations, gradients, scratch, and what layers keep.
  std::size_t bytes() const;
  /// batch x input floats and batch labels, for the caller to gather into.
  std::span<float> images();
  std::span<std::uint8_t> labels();

  /// From now on passes add the seconds that they take to `times`, sized for the network's nodes; null: to nobody.
  void watch(NodeTimes* times);

  struct Machine;
  Machine& machine() { return *machine_; }

 private:
  std::unique_ptr<Machine> machine_;
};

/// What a pass is given beside parameters and batch. The default is the float network at no cost, with its running
/// statistics left as they are.
struct PassSettings {
  SlotFunction* function = nullptr;  // on the numbers of the network's slots; null: none
  /// Whole buffer to update running statistics in, the network's and the slot function's (it may be the one that
  /// `parameters` shows); empty: leave them.
  std::span<float> statistics = {};
  DrawName draw = {};  // names all draws of the pass; purpose and layer are set where one is made
};

/// Runs the network as one that is trained: nothing is dropped, norms use their running statistics. Returns
/// live x classes outputs, owned by the workspace until its next pass.
std::span<const float> forward(Workspace& workspace, std::span<const float> parameters, const Batch& batch,
                               const PassSettings& settings = {});

/// (parameters, batch, settings, loss) -> (loss, gradient buffer): the one gradient function of the house (DESIGN D2).
/// Equal arguments give equal bits. Every element of `gradients` (size of the layout) is written; tensors that the pass
/// does not reach get zero.
Score gradient(Workspace& workspace, std::span<const float> parameters, const Batch& batch,
               const PassSettings& settings, const Loss& loss, std::span<float> gradients);

/// gradient() and then `step` on all tensors of the layout, each with its group's rate and decay: the same bits, in
/// less time, because dense layers step their weight while they compute its gradient. `gradients` is scratch: what it
/// holds afterwards is not told.
Score descend(Workspace& workspace, const Layout& layout, std::span<float> parameters, const Batch& batch,
              const PassSettings& settings, const Loss& loss, const PlainStep& step, std::span<float> gradients);

}  // namespace anybit
