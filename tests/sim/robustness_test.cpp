// Whole trainings on the synthetic federation of specs A 9.1: ten classes of four Gaussian clusters each in 32
// dimensions (centres of deviation 1.05, noise of 1.6), an mlp 32-96-96-10, 60 clients of 100 examples with Dirichlet
// 0.5 labels, 10 of them a round, 2 epochs of batches of 20 at rate 0.05, 300 rounds, full-range grids. The specs do
// not fix the draw of the clusters, on which accuracies depend (here plain FedAvg has 75 to 82 % over four draws, 75.4
// there), so held are the kurtosis, which does not, and the differences that the specs read in their table.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "nn/random.h"
#include "quant/penalties/kure.h"
#include "server/evaluator.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

constexpr std::uint32_t kClients = 60, kOfClient = 100, kTested = 5000;
constexpr int kClasses = 10, kClusters = 4;
constexpr std::size_t kFeatures = 32;
constexpr double kUnit = 16;  // grey levels of a feature's unit

/// Features as bytes around 127.5, and the normalization that undoes it.
class Mixture final : public FederatedData {
 public:
  explicit Mixture(std::uint64_t seed) {
    shape = pool_.shape = {4, 8, 1};
    classes = kClasses;
    clients = kClients;
    normalization.mean.fill(0.5F);
    normalization.deviation.fill(static_cast<float>(kUnit / 255));
    Stream stream({.seed = seed, .purpose = Purpose::kTest});
    for (double& feature : centres_) feature = 1.05 * stream.normal();
    for (std::uint32_t client = 0; client < kClients; ++client) {
      std::array<double, kClasses> shares{};
      for (double& share : shares) share = stream.gamma(0.5);
      for (std::uint32_t i = 0; i < kOfClient; ++i) draw(pick(shares, stream), stream);
    }
    for (std::uint32_t i = 0; i < kTested; ++i) draw(static_cast<int>(i) % kClasses, stream);
    test = pool_.view();
    test.indices = test.indices.subspan(kClients * kOfClient);
  }

  std::uint32_t examples(std::uint32_t) const override { return kOfClient; }
  ExamplesView client(std::uint32_t client, ExamplePool&) const override {
    ExamplesView view = pool_.view();
    view.indices = view.indices.subspan(client * kOfClient, kOfClient);
    return view;
  }

 private:
  static int pick(const std::array<double, kClasses>& shares, Stream& stream) {
    double total = 0;
    for (const double share : shares) total += share;
    double left = total * stream.uniform();
    int label = 0;
    while (label + 1 < kClasses && left >= shares[static_cast<std::size_t>(label)])
      left -= shares[static_cast<std::size_t>(label++)];
    return label;
  }

  void draw(int label, Stream& stream) {
    const auto cluster = static_cast<std::size_t>(label * kClusters) + stream.below(kClusters);
    for (std::size_t f = 0; f < kFeatures; ++f) {
      const double feature = centres_[cluster * kFeatures + f] + 1.6 * stream.normal();
      pool_.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(127.5 + kUnit * feature), 0L, 255L)));
    }
    pool_.labels.push_back(static_cast<std::uint8_t>(label));
    pool_.indices.push_back(static_cast<std::uint32_t>(pool_.indices.size()));
  }

  std::array<double, kClasses * kClusters * kFeatures> centres_{};
  ExamplePool pool_;
};

Federation mixture_federation(const std::vector<std::string>& settings) {
  std::vector<std::string> all = {"model.hidden=[96, 96]",          "training.epochs=2",     "training.batch=20",
                                  "training.optimizer.rate=0.05",   "federation.rounds=300", "federation.cohort=10",
                                  "federation.uplink.name=float32", "data.clients=60"};
  all.insert(all.end(), settings.begin(), settings.end());
  Federation federation;
  federation.scenario = tiny_scenario(all);
  federation.data = std::make_unique<const Mixture>(1);
  federation.training = make_plan(federation.scenario, federation.data->shape, federation.data->classes);
  federation.training.largest_client = kOfClient;
  federation.strategy = strategies().make(federation.scenario.federation.strategy);
  return federation;
}

/// What is left of a training: percent at each width under each range rule, and the weights' mean kurtosis.
struct Result {
  double full = 0;  // at 32 bits
  std::map<int, double> minmax, mse;
  double kurtosis = 0;
};

Result train(const std::vector<std::string>& method) {
  const Federation federation = mixture_federation(method);
  const Parameters global = run_all(federation, 2).global;
  Method as_full_range;
  as_full_range.weight_fit = {.full_range = true, .percentile = 99.9};
  Evaluator evaluator(federation.training.network, *federation.data, 2, as_full_range);
  EvaluationGrid grid;
  grid.weights = {32, 8, 4, 3, 2};
  grid.range = {"minmax", "mse"};
  Result result;
  for (const auto& [point, value] : evaluator.evaluate(global, grid)) {
    if (point.weights == 32) result.full = 100 * value;
    (point.range == "mse" ? result.mse : result.minmax)[point.weights] = 100 * value;
  }
  for (const WeightedLayer& layer : federation.training.network->weighted_layers())
    result.kurtosis += moments_of(global.tensor(layer.weight)).fourth / 3;
  return result;
}

using Words = std::vector<std::string>;

/// A method at full range with float activations, as the specs have it.
Words quantizing(const std::string& name, const Words& more) {
  Words all = {"training.method.name=" + name, "training.method.full_range=true", "training.method.activations=32"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::string kAllWidths = "training.method.widths=[2, 3, 4, 5, 6, 7, 8]";

TEST(Robustness, OfMethodsIsThatOfTheSpecs) {
  const Result fedavg = train({"training.method.name=fedavg"});
  const Result kure = train({"training.method.name=kure", "training.method.lambda=0.1"});
  const Result strong_kure = train({"training.method.name=kure", "training.method.lambda=1"});
  const Result qat3 = train(quantizing("qat", {"training.method.width=3"}));
  const Result apqn = train(quantizing("apqn", {kAllWidths}));
  const Result both = train(quantizing("mqat", {kAllWidths, "training.method.kure=0.1"}));

  EXPECT_NEAR(fedavg.full, 75.4, 8);
  EXPECT_NEAR(fedavg.kurtosis, 3.0, 0.15);
  EXPECT_NEAR(kure.kurtosis, 2.1, 0.25);
  EXPECT_NEAR(strong_kure.kurtosis, 1.8, 0.1);
  EXPECT_NEAR(both.kurtosis, 2.0, 0.2);
  EXPECT_GT(apqn.kurtosis, fedavg.kurtosis + 0.2);  // 4.2 there

  // Nothing happens at 8 bits; plain FedAvg does not survive 2, unless the range is fitted: 13.8 and 51.9 there.
  for (const Result& each : {fedavg, kure, strong_kure, apqn, both}) EXPECT_NEAR(each.minmax.at(8), each.full, 1);
  EXPECT_LT(fedavg.minmax.at(2), 35);
  EXPECT_GT(fedavg.mse.at(2), fedavg.minmax.at(2) + 25);
  // Kurtosis helps at 3 and 2 bits: 58.1 and 13.8 become 67.8 and 30.1, or 69.1 and 36.6.
  for (const Result& each : {kure, strong_kure}) {
    EXPECT_GT(each.minmax.at(3), fedavg.minmax.at(3) + 1.5);
    EXPECT_GT(each.minmax.at(2), fedavg.minmax.at(2) + 15);
  }
  // One width is a specialist: best at its own, worse under another range rule, no help at 2 bits.
  EXPECT_GT(qat3.minmax.at(3), fedavg.minmax.at(3) + 2);
  EXPECT_GT(qat3.minmax.at(3), qat3.mse.at(3) + 1.5);
  EXPECT_LT(qat3.minmax.at(2), 35);
  // All widths together with kurtosis win at 2 bits, 56.8 there; noise does not survive them.
  for (const Result& each : {fedavg, kure, strong_kure, qat3, apqn})
    EXPECT_GT(both.minmax.at(2), each.minmax.at(2) + 5);
  EXPECT_LT(apqn.minmax.at(2), 40);
  EXPECT_GT(apqn.full, fedavg.full);
}

}  // namespace
}  // namespace anybit
