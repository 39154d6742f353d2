#include <stdexcept>

#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/rows.h"

namespace anybit {
namespace {

// The step that training learned for this tensor and width (LSQ), read from the parameters.
class Learned final : public RangeRule {
 public:
  UniformGrid fit(std::span<const float>, const FitRequest& request, FitScratch&) const override {
    if (!request.log2_step) throw std::invalid_argument("range rule 'learned': the model holds no learned step here");
    return symmetric_grid(step_from_log2(*request.log2_step), request.bits, request.full_range);
  }

  FitTiming timing() const override { return FitTiming::kLearned; }
};

}  // namespace

RangeRuleTable::Row learned_rule() {
  RowInfo info;
  info.name = "learned";
  info.help = "the step that training learned (LSQ); only at widths that the method trained";
  info.paper = "Esser et al., Learned Step Size Quantization, ICLR 2020";
  info.neutral.reason = "a range always has a width";
  return {info, [](const Options&) { return std::make_unique<Learned>(); }};
}

}  // namespace anybit
