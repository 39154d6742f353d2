#pragma once

#include <string>
#include <vector>

#include "server/federation.h"

namespace anybit {

/// What one direction of one layer costs in a training step of the scenario's batch. With plain SGD a dense layer's
/// backward direction takes the weight's step too.
struct PassCost {
  double seconds = 0;
  double flops = 0;  // multiply-adds times two that are done, by Winograd's products too; 0 without weights
  double bytes = 0;  // what must be read and written at least: activations, weights and gradients once each
};

struct LayerCost {
  std::string name;
  PassCost forward;
  PassCost backward;
};

/// Where the time of a training step goes. Every step counts, shorter last batches too, so figures are means.
struct Profile {
  double batch = 0;    // examples of the mean step
  double seconds = 0;  // of one step, everything between two clients included
  std::vector<LayerCost> layers;
  double slots = 0;  // seconds of a step in quantization
  double loss = 0;
  double peak = 0;  // FLOP/s of one core, see fma_peak()

  /// All layers together.
  PassCost network() const;
  /// Seconds of a step outside of the network: gathering, update, messages.
  double rest() const;
};

/// Plays clients of the scenario's first round one after the other in this thread, for at least `seconds`, as a run
/// plays them.
Profile profile(const Federation& federation, double seconds);

/// The table that `anybit-sim profile` prints.
std::string profile_text(const Profile& profile);

}  // namespace anybit
