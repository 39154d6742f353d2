#include "nn/objectives/fedprox.h"

#include <array>
#include <numeric>

namespace anybit {
namespace {

/// Adds mu * (values - received) to the gradients; returns the sum of squared differences.
double add_pull(float mu, std::span<const float> values, std::span<const float> received, std::span<float> gradients) {
  // Eight sums in a fixed order: the loop vectorises and the bits do not depend on how.
  std::array<double, 8> sums{};
  const std::size_t whole = values.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const float difference = values[i + lane] - received[i + lane];
      gradients[i + lane] += mu * difference;
      sums[lane] += static_cast<double>(difference) * static_cast<double>(difference);
    }
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const float difference = values[i] - received[i];
    gradients[i] += mu * difference;
    sums[i - whole] += static_cast<double>(difference) * static_cast<double>(difference);
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

class FedProx final : public Objective {
 public:
  explicit FedProx(double mu) : mu_(mu) {}

  double add(const Layout& layout, std::span<const float> values, std::span<const float> received,
             std::span<float> gradients) const override {
    double sum = 0;
    for (const TensorSpec& tensor : layout.tensors()) {
      // Statistics are not learnt; what never leaves the client has no global value to stay near.
      if (tensor.role == Role::kStatistic || tensor.merge == Merge::kLocal) continue;
      sum += add_pull(static_cast<float>(mu_), values.subspan(tensor.offset, tensor.size),
                      received.subspan(tensor.offset, tensor.size), gradients.subspan(tensor.offset, tensor.size));
    }
    return 0.5 * mu_ * sum;
  }

 private:
  double mu_;
};

}  // namespace

ObjectiveTable::Row fedprox_row() {
  RowInfo info{.name = "fedprox",
               .help = "pulls the local parameters towards the received ones: mu/2 times the squared distance",
               .paper = "Li et al., Federated Optimization in Heterogeneous Networks, MLSys 2020",
               .options = {{"mu", 0.01, 0.1, "strength of the pull, 0 or more"}},
               .neutral = {"plain", {{"mu", 0.0}}, {}, ""}};
  return {std::move(info), [](const Options& options) -> std::unique_ptr<Objective> {
            const double mu = options.non_negative("mu");
            if (mu == 0) return nullptr;  // the plain objective, at no cost
            return std::make_unique<FedProx>(mu);
          }};
}

}  // namespace anybit
