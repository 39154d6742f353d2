#include "server/strategies/fedavg.h"

#include "server/strategies/strategy_options.h"

namespace anybit {
namespace {

class FedAvg final : public Strategy {
 public:
  explicit FedAvg(double rate) : rate_(rate) {}

  int state_buffers() const override { return 0; }

  void apply(const Layout& layout, std::span<const float> change, std::span<float>,
             std::span<float> global) const override {
    for (const TensorSpec& tensor : layout.tensors()) {
      if (!follows_strategy(tensor)) continue;
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i)
        global[i] = static_cast<float>(static_cast<double>(global[i]) + rate_ * static_cast<double>(change[i]));
    }
    add_plain_changes(layout, change, global);
  }

 private:
  double rate_;
};

}  // namespace

StrategyTable::Row fedavg_strategy_row() {
  RowInfo info{.name = "fedavg",
               .help = "mean of the clients' changes weighted by their examples, times a server rate",
               .paper = "McMahan et al., Communication-Efficient Learning of Deep Networks, AISTATS 2017",
               .options = {{"rate", 1.0, 0.5, "server learning rate, above 0"}},
               .neutral = {"", {}, {}, "it is the base row"}};
  return {std::move(info), [](const Options& options) -> std::unique_ptr<Strategy> {
            return std::make_unique<FedAvg>(above_zero(options, "rate"));
          }};
}

}  // namespace anybit
