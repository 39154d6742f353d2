#include "server/strategies/adaptive.h"

#include <cmath>

#include "server/strategies/strategy_options.h"

namespace anybit {
namespace {

/// The next v, of the last one and of a squared change.
using SecondMoment = double (*)(double v, double squared, double beta2);

double sum_of_squares(double v, double squared, double) { return v + squared; }

double mean_of_squares(double v, double squared, double beta2) { return beta2 * v + (1 - beta2) * squared; }

double towards_the_square(double v, double squared, double beta2) {
  const double step = (1 - beta2) * squared;
  return v > squared ? v - step : v < squared ? v + step : v;
}

struct Settings {
  double rate = 0;
  double tau = 0;
  double beta1 = 0;
  double beta2 = 0;
  bool keeps_momentum = false;  // else m is the change
};

/// State: v, then m where it is kept.
class Adaptive final : public Strategy {
 public:
  Adaptive(SecondMoment second_moment, Settings settings) : second_moment_(second_moment), settings_(settings) {}

  int state_buffers() const override { return settings_.keeps_momentum ? 2 : 1; }

  void apply(const Layout& layout, std::span<const float> change, std::span<float> state,
             std::span<float> global) const override {
    const std::span<float> second = state.first(layout.size());
    const std::span<float> first = state.subspan(layout.size());
    for (const TensorSpec& tensor : layout.tensors()) {
      if (!moves(tensor, change)) continue;
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        const auto delta = static_cast<double>(change[i]);
        const double m = settings_.keeps_momentum ? momentum(first[i], delta) : delta;
        const double v = second_moment_(static_cast<double>(second[i]), delta * delta, settings_.beta2);
        second[i] = static_cast<float>(v);
        global[i] =
            static_cast<float>(static_cast<double>(global[i]) + settings_.rate * m / (std::sqrt(v) + settings_.tau));
      }
    }
    add_plain_changes(layout, change, global);
  }

 private:
  double momentum(float& kept, double delta) const {
    const double m = settings_.beta1 * static_cast<double>(kept) + (1 - settings_.beta1) * delta;
    kept = static_cast<float>(m);
    return m;
  }

  SecondMoment second_moment_;
  Settings settings_;
};

RowInfo row_info(const char* name, const char* help, double rate) {
  return {.name = name,
          .help = help,
          .paper = "Reddi et al., Adaptive Federated Optimization, ICLR 2021",
          .options = {{"rate", rate, rate / 2, "server learning rate, above 0"},
                      {"tau", 1e-3, 1e-1, "added to the root of v, above 0: the larger, the less adaptive"}},
          .neutral = {"", {}, {}, "it divides by the size of the changes, and no setting leaves them as they are"}};
}

Settings read_settings(const Options& options) {
  return {.rate = above_zero(options, "rate"), .tau = above_zero(options, "tau")};
}

/// A row that keeps shares of both moments.
StrategyTable::Row row_with_moments(const char* name, const char* help, SecondMoment second_moment) {
  RowInfo info = row_info(name, help, 0.01);
  info.options.push_back({"beta1", 0.9, 0.5, "share of the mean change that is kept, 0 or more and below 1"});
  info.options.push_back({"beta2", 0.99, 0.9, "share of the squared changes that is kept, 0 or more and below 1"});
  return {std::move(info), [second_moment](const Options& options) -> std::unique_ptr<Strategy> {
            Settings settings = read_settings(options);
            settings.beta1 = below_one(options, "beta1");
            settings.beta2 = below_one(options, "beta2");
            settings.keeps_momentum = true;
            return std::make_unique<Adaptive>(second_moment, settings);
          }};
}

}  // namespace

StrategyTable::Row fedadagrad_strategy_row() {
  return {row_info("fedadagrad", "each parameter's step divided by the root of the sum of its squared changes", 0.03),
          [](const Options& options) -> std::unique_ptr<Strategy> {
            return std::make_unique<Adaptive>(sum_of_squares, read_settings(options));
          }};
}

StrategyTable::Row fedadam_strategy_row() {
  return row_with_moments("fedadam", "Adam at the server, with the mean change as its gradient", mean_of_squares);
}

StrategyTable::Row fedyogi_strategy_row() {
  return row_with_moments("fedyogi", "as fedadam, but what a step is divided by shrinks only little by little",
                          towards_the_square);
}

}  // namespace anybit
