#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quant/method.h"

namespace anybit {

/// The widths that a method's options name. 32 is float everywhere.
struct WidthPlan {
  std::vector<int> widths = {32};  // of weights, what a schedule draws from
  int activations = 32;
  int first = 0;  // of the first weighted layer, weight and input; 0: as the others
  int last = 0;

  /// The width of a slot when `drawn` is the width of the weights. `first` and `last` stand in for quantized widths
  /// only: a float weight or input stays float.
  std::uint8_t width_of(const SlotSite& site, int drawn) const {
    return width_of(site.kind, site.first, site.last, drawn);
  }
  std::uint8_t width_of(SlotKind kind, bool is_first, bool is_last, int drawn) const;
  /// width_of() for all slots of a network (weight and input of each layer in turn).
  void fill(int drawn, std::span<std::uint8_t> slots) const;
  /// All widths that the slot can have, ascending, without float.
  std::vector<int> possible(const SlotSite& site) const;
};

/// Throws ScenarioError unless every value of the key is 32 or in 2 ... 16 and none comes twice.
std::vector<int> read_widths(const Options& options, const std::string& key);
/// One width: 32, 2 ... 16, and 0 where `or_zero`.
int read_width(const Options& options, const std::string& key, bool or_zero);

}  // namespace anybit
