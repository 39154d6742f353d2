// The portable kernels give the same bits on every processor: digests of short trainings, made on x86-64, that a
// machine of any kind must come to as well. Where a change of the kernels is meant to change them, new digests go here
// and the number in the name of the portable set (nn/kernel_set.cpp) is counted up, so that old and new runs are told
// apart.
#include <gtest/gtest.h>

#include <bit>

#include "nn/gradient.h"
#include "nn/kernels/kernels.h"
#include "nn/models/model.h"
#include "nn/optimizers/optimizer.h"
#include "tests/nn/hash_numbers.h"

namespace anybit {
namespace {

constexpr int kBatch = 6;
constexpr int kPortableClasses = 10;
constexpr int kSteps = 3;

/// FNV-1a over words.
class Digest {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001B3ULL; }
  void add(std::span<const float> numbers) {
    for (const float number : numbers) add(std::bit_cast<std::uint32_t>(number));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

struct Run {
  std::string name;
  std::string model;
  Shape image;
  std::string optimizer;
  std::uint64_t digest;
};

/// Grouped and depthwise convolutions, whose products have few columns.
Description separable(Shape image) {
  Description description{"separable", image, kPortableClasses, {}};
  description.then("wide", Convolution{.channels = 12, .kernel = 3, .stride = 1, .padding = 1});
  description.then("depthwise", Convolution{.channels = 12, .kernel = 3, .stride = 2, .padding = 1, .groups = 12});
  description.then("relu", Relu{});
  description.then("grouped", Convolution{.channels = 20, .kernel = 3, .stride = 1, .padding = 1, .groups = 4});
  description.then("norm", BatchNorm{});
  description.then("pool", AveragePool{.kernel = 0, .stride = 1});
  description.then("dense", Dense{kPortableClasses});
  return description;
}

std::unique_ptr<Optimizer> optimizer_of(const Run& run) {
  Part part{run.optimizer, Options("training.optimizer"), {}};
  part.options.set("rate", run.optimizer == "adam" ? 0.01 : 0.05);
  part.options.set("decay", 0.01);
  if (run.optimizer == "sgd") part.options.set("momentum", 0.9);
  return optimizers().make(part);
}

/// The last batch is not full.
std::uint64_t train(const Run& run) {
  const auto network = std::make_shared<const Network>(
      run.model == "separable" ? separable(run.image)
                               : models().make({run.model, Options("model"), {}}, run.image, kPortableClasses));
  const Layout layout(network->tensors());
  FloatBuffer parameters(layout.size()), gradients(layout.size());
  network->initialize(parameters, 5);
  const std::unique_ptr<Optimizer> optimizer = optimizer_of(run);
  FloatBuffer state(layout.size() * static_cast<std::size_t>(optimizer->state_buffers()), 0.0F);
  Workspace workspace(network, kBatch, Mode::kTraining);
  Digest digest;
  for (int step = 0; step < kSteps; ++step) {
    const std::size_t live = step + 1 < kSteps ? kBatch : kBatch - 1;
    const std::span<float> images = workspace.images().first(live * run.image.size());
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = hash_number(static_cast<std::uint64_t>(90 + step), i);
    for (std::size_t row = 0; row < live; ++row) workspace.labels()[row] = static_cast<std::uint8_t>(row);
    PassSettings settings{.statistics = parameters};
    settings.draw.step = static_cast<std::uint32_t>(step);
    const Batch batch{images, workspace.labels().first(live)};
    const Score score = gradient(workspace, parameters, batch, settings, CrossEntropy(), gradients);
    digest.add(std::bit_cast<std::uint64_t>(score.loss));
    optimizer->step(layout, parameters, gradients, state, 0.0, step);
  }
  digest.add(parameters);
  return digest.value();
}

class PortableBits : public testing::TestWithParam<Run> {};

TEST_P(PortableBits, AreTheSameEverywhere) {
  const std::uint64_t digest = train(GetParam());
  EXPECT_EQ(digest, GetParam().digest) << std::hex << "0x" << digest;
}

INSTANTIATE_TEST_SUITE_P(Runs, PortableBits,
                         testing::Values(Run{"logistic", "logistic", {28, 28, 1}, "sgd", 0x6C34D8BBC946F43E},
                                         Run{"mlp", "mlp", {28, 28, 1}, "sgd", 0x6EE5F69ED55A793D},
                                         Run{"mlp_adam", "mlp", {28, 28, 1}, "adam", 0x9FDAD456AA56018A},
                                         Run{"lenet", "lenet", {28, 28, 1}, "sgd", 0xC11684A957AD3C0D},
                                         Run{"cnn", "cnn", {12, 12, 3}, "sgd", 0x199DB5023380B1DE},
                                         Run{"resnet8", "resnet8", {20, 20, 3}, "sgd", 0x671B6AB2696403A3},
                                         Run{"resnet20_bn", "resnet20-bn", {16, 16, 3}, "sgd", 0xA8B9B0537796EED7},
                                         Run{"separable", "separable", {9, 9, 3}, "sgd", 0x8CAE37D4950C554E}),
                         [](const auto& of) { return of.param.name; });

/// Products with rows of every length about a register's.
TEST(PortableBits, OfProductsAreTheSameEverywhere) {
  const Kernels& set = kernels();
  Digest digest;
  for (std::size_t length = 1; length < 40; ++length) {
    const std::vector<float> left = hash_numbers(1, 7 * length), right = hash_numbers(2, 7 * length);
    std::vector<float> c(49), wide(length * length);
    set.dots_of_rows({left.data(), right.data(), nullptr, c.data(), 7, 7, length, false});
    digest.add(c);
    set.sum_of_rows({.coefficients = left.data(),
                     .term_stride = length,
                     .row_stride = 1,
                     .v = right.data(),
                     .v_stride = length,
                     .start = nullptr,
                     .c = wide.data(),
                     .c_stride = length,
                     .rows = length,
                     .columns = length,
                     .terms = 7});
    digest.add(wide);
  }
  EXPECT_EQ(digest.value(), 0xBB4BBDCD1E63B4DD) << std::hex << "0x" << digest.value();
}

}  // namespace
}  // namespace anybit
