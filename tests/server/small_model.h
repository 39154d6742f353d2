#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "nn/gradient.h"
#include "nn/random.h"
#include "server/evaluator.h"

namespace anybit {

/// A small convolutional network on random images: 730 test examples (no multiple of a batch), 230 for the proxy.
struct SmallModel {
  struct Data final : FederatedData {
    std::uint32_t examples(std::uint32_t) const override { return 0; }
    ExamplesView client(std::uint32_t, ExamplePool&) const override { return {}; }
  };

  ExamplePool pool;
  std::vector<std::uint32_t> all;
  Data data;
  std::shared_ptr<const Network> network;
  Method method;
  Parameters parameters;

  explicit SmallModel(std::uint32_t proxy, Method its_method = {}) : method(std::move(its_method)) {
    Stream stream({.seed = 9, .purpose = Purpose::kTest});
    pool.shape = {6, 6, 1};
    pool.pixels.resize(36 * 960);
    pool.labels.resize(960);
    for (std::uint8_t& pixel : pool.pixels) pixel = static_cast<std::uint8_t>(stream.below(256));
    for (std::uint8_t& label : pool.labels) label = static_cast<std::uint8_t>(stream.below(3));
    for (std::uint32_t i = 0; i < 960; ++i) all.push_back(i);
    data.shape = pool.shape;
    data.classes = 3;
    data.normalization.mean.fill(0.5F);
    data.normalization.deviation.fill(0.25F);
    data.test = {pool.shape, pool.pixels, pool.labels, std::span(all).subspan(0, 730)};
    data.proxy = {pool.shape, pool.pixels, pool.labels, std::span(all).subspan(730, proxy)};

    Description description{"small", pool.shape, 3, {}};
    description.then("conv", Convolution{4, 3, 1, 0, true});
    description.then("relu", Relu{});
    description.then("dense", Dense{3});
    network = std::make_shared<const Network>(description);
    parameters = make_parameters(*network, method, make_layout(*network, method), 1);
  }

  NetworkPlan plan() const { return {network, parameters.layout, method}; }

  /// Accuracy at one point with nothing but the parts: one example at a time, no threads.
  double by_hand(const GridPoint& point) const {
    const Parameters used = point.weights == 32 ? parameters : quantize_weights(*network, parameters, point);
    RangeObserver observer(*network);
    count(data.proxy, parameters, &observer);
    const auto activations = make_activation_quantizer(*network, observer.ranges(), point);
    return count(data.test, used, point.activations == 32 ? nullptr : activations.get()) / 730.0;
  }

  int count(const ExamplesView& examples, const Parameters& used, SlotFunction* function) const {
    Workspace workspace(network, 1, Mode::kInference);
    int correct = 0;
    for (std::uint32_t i = 0; i < examples.size(); ++i) {
      const Batch batch =
          gather(examples, std::span(&i, 1), data.normalization, workspace.images(), workspace.labels());
      correct += count_correct(forward(workspace, used.values, batch, {.function = function}), batch.labels, 3);
    }
    return correct;
  }
};

inline EvaluationGrid full_grid() {
  EvaluationGrid grid;
  grid.weights = {32, 3, 2};
  grid.activations = {32, 4};
  grid.range = {"minmax", "mse"};
  grid.granularity = {"tensor", "channel"};
  return grid;
}

}  // namespace anybit
