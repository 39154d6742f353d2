#include "quant/schedules/width_plan.h"

#include <algorithm>

namespace anybit {
namespace {

constexpr const char* kAccepted = "must be 32 (float) or 2 to 16 bits";

}  // namespace

std::uint8_t WidthPlan::width_of(SlotKind kind, bool is_first, bool is_last, int drawn) const {
  const int usual = kind == SlotKind::kWeight ? drawn : activations;
  if (usual == kFloatWidth) return kFloatWidth;
  if (is_first && first != 0) return static_cast<std::uint8_t>(first);
  if (is_last && last != 0) return static_cast<std::uint8_t>(last);
  return static_cast<std::uint8_t>(usual);
}

void WidthPlan::fill(int drawn, std::span<std::uint8_t> slots) const {
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    const SlotKind kind = slot % 2 == 0 ? SlotKind::kWeight : SlotKind::kActivation;
    slots[slot] = width_of(kind, slot < 2, slot + 2 >= slots.size(), drawn);
  }
}

std::vector<int> WidthPlan::possible(const SlotSite& site) const {
  std::vector<int> all;
  for (const int drawn : widths) all.push_back(width_of(site, drawn));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase(all, static_cast<int>(kFloatWidth));
  return all;
}

std::vector<int> read_widths(const Options& options, const std::string& key) {
  std::vector<int> widths;
  const std::vector<std::int64_t> given = options.integers(key);
  options.require(!given.empty(), key, "needs at least one width");
  for (const std::int64_t bits : given) {
    options.require(is_width(bits), key, kAccepted);
    const int width = static_cast<int>(bits);
    options.require(std::find(widths.begin(), widths.end(), width) == widths.end(), key, "names a width twice");
    widths.push_back(width);
  }
  return widths;
}

int read_width(const Options& options, const std::string& key, bool or_zero) {
  const std::int64_t bits = options.integer(key);
  const std::string accepted = or_zero ? std::string(kAccepted) + ", or 0 (as the others)" : kAccepted;
  options.require(is_width(bits) || (or_zero && bits == 0), key, accepted);
  return static_cast<int>(bits);
}

}  // namespace anybit
