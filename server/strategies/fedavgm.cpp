#include "server/strategies/fedavgm.h"

#include "server/strategies/strategy_options.h"

namespace anybit {
namespace {

class FedAvgM final : public Strategy {
 public:
  FedAvgM(double rate, double beta) : rate_(rate), beta_(beta) {}

  int state_buffers() const override { return 1; }

  void apply(const Layout& layout, std::span<const float> change, std::span<float> state,
             std::span<float> global) const override {
    for (const TensorSpec& tensor : layout.tensors()) {
      if (!moves(tensor, change)) continue;
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        const double momentum = beta_ * static_cast<double>(state[i]) + static_cast<double>(change[i]);
        state[i] = static_cast<float>(momentum);
        global[i] = static_cast<float>(static_cast<double>(global[i]) + rate_ * momentum);
      }
    }
    add_plain_changes(layout, change, global);
  }

 private:
  double rate_;
  double beta_;
};

}  // namespace

StrategyTable::Row fedavgm_strategy_row() {
  RowInfo info{.name = "fedavgm",
               .help = "fedavg with momentum at the server",
               .paper = "Hsu et al., Measuring the Effects of Non-Identical Data Distribution, 2019",
               .options = {{"rate", 1.0, 0.5, "server learning rate, above 0"},
                           {"beta", 0.9, 0.5, "share of the momentum that is kept, 0 or more and below 1"}},
               .neutral = {"fedavg", {{"beta", 0.0}}, {}, ""}};
  return {std::move(info), [](const Options& options) -> std::unique_ptr<Strategy> {
            const double rate = above_zero(options, "rate");
            return std::make_unique<FedAvgM>(rate, below_one(options, "beta"));
          }};
}

}  // namespace anybit
