#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {
namespace {

// Mean of the losses and gradients over all widths, one pass each. The first pass moves the running statistics for the
// whole step.
class MeanOverWidths final : public StepRule {
 public:
  explicit MeanOverWidths(WidthPlan plan) : plan_(std::move(plan)) {}

  int scratch_buffers() const override { return 1; }
  int gradients() const override { return static_cast<int>(plan_.widths.size()); }

  Score step(StepGradient& gradient, std::span<std::uint8_t> widths, std::span<float> gradients,
             std::span<float> scratch) const override {
    Score total;
    for (std::size_t k = 0; k < plan_.widths.size(); ++k) {
      plan_.fill(plan_.widths[k], widths);
      const Score score = gradient.at(widths, k == 0 ? gradients : scratch, k == 0);
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
            QuantizerSettings settings = read_quantizer_options(options, read_widths(options, "widths"));
            const WidthPlan plan = settings.plan;
            Method method = quantizing_method("joint", "step", std::move(settings));
            method.rule = std::make_shared<const MeanOverWidths>(plan);
            return method;
          }};
}

}  // namespace anybit
