#include <array>
#include <stdexcept>

#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {
namespace {

constexpr std::size_t kMostSlots = 4096;

// Mean of the losses and gradients over all widths, one pass each.
class MeanOverWidths final : public StepRule {
 public:
  explicit MeanOverWidths(WidthPlan plan) : plan_(std::move(plan)) {}

  int scratch_buffers() const override { return 1; }

  Score step(StepGradient& gradient, std::span<const std::uint8_t> widths, std::span<float> gradients,
             std::span<float> scratch) const override {
    std::array<std::uint8_t, kMostSlots> own;
    if (widths.size() > own.size()) throw std::length_error("joint: a network of more than 4096 slots");
    std::copy(widths.begin(), widths.end(), own.begin());
    const std::span<std::uint8_t> chosen = std::span(own).first(widths.size());
    Score total;
    for (std::size_t k = 0; k < plan_.widths.size(); ++k) {
      set_weights(chosen, plan_.widths[k]);
      const Score score = gradient.at(chosen, k == 0 ? gradients : scratch);
      total.loss += score.loss;
      total.correct += score.correct;
      if (k > 0)
        for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] += scratch[i];
    }
    const auto passes = static_cast<int>(plan_.widths.size());
    if (passes == 1) return total;
    const float share = 1.0F / static_cast<float>(passes);
    for (float& g : gradients) g *= share;
    return {total.loss / passes, total.correct / passes};
  }

 private:
  // Weights are the even slots (nn/slots.h).
  void set_weights(std::span<std::uint8_t> widths, int drawn) const {
    for (std::size_t slot = 0; slot < widths.size(); slot += 2)
      widths[slot] = plan_.width_of(SlotKind::kWeight, slot == 0, slot + 2 >= widths.size(), drawn);
  }

  WidthPlan plan_;
};

}  // namespace

MethodTable::Row joint_row() {
  RowInfo info;
  info.name = "joint";
  info.help = "control for mqat: every step averages the loss over all widths, at one pass per width";
  info.paper = "our control; the paper's methods avoid it (Gupta et al., TMLR 2023)";
  info.options = quantizer_options({"widths", std::vector<std::int64_t>{2}});
  info.options.insert(info.options.begin(), {widths_option(), rounding_option()});
  info.neutral = {"qat", {{"widths", std::vector<std::int64_t>{4}}}, {{"width", std::int64_t{4}}}, ""};
  return {info, [](const Options& options) {
            FakeSettings settings = read_quantizer_options(options, read_widths(options, "widths"));
            const WidthPlan plan = settings.plan;
            Method method = quantizing_method("joint", "step", std::move(settings));
            method.rule = std::make_shared<const MeanOverWidths>(plan);
            return method;
          }};
}

}  // namespace anybit
