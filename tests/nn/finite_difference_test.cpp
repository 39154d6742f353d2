// Every kind of layer against central differences, through small networks: analytic gradients of every parameter, with
// full batches and with fewer live examples than the workspace has room for. To check a new layer, add a row to
// layer_cases.cpp.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "nn/gradient.h"
#include "tests/nn/hash_numbers.h"
#include "tests/nn/layer_cases.h"

namespace anybit {
namespace {

constexpr int kOutputs = 4;
constexpr int kCapacity = 6;

/// A fixed random linear function of the outputs, summed in double: networks of linear pieces then have no truncation
/// error in the differences.
class LinearLoss final : public Loss {
 public:
  Score apply(std::span<const float> outputs, std::span<const std::uint8_t>, int,
              std::span<float> gradient) const override {
    Score score;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      gradient[i] = hash_number(77, i);
      score.loss += static_cast<double>(gradient[i]) * outputs[i];
    }
    return score;
  }
};

class FiniteDifference : public testing::TestWithParam<std::tuple<LayerCase, int>> {
 protected:
  void SetUp() override {
    const auto& [c, live] = GetParam();
    Description description{c.name, c.image, kOutputs, {}};
    c.build(description);
    description.then("last", Dense{kOutputs});
    network_ = std::make_shared<Network>(description);
    parameters_ = Parameters(std::make_shared<Layout>(network_->tensors()));
    for (std::size_t t = 0; t < network_->tensors().size(); ++t) fill_tensor(static_cast<int>(t));
    // Rows beyond the live ones hold anything.
    images_.assign(kCapacity * c.image.size(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < static_cast<std::size_t>(live) * c.image.size(); ++i) images_[i] = hash_number(90, i);
    labels_.assign(static_cast<std::size_t>(live), 0);
    workspace_ = std::make_unique<Workspace>(network_, kCapacity, Mode::kTraining);
  }

  /// A full batch before the one that counts: nothing of it may reach the rows that a smaller batch leaves empty.
  void leave_traces(std::span<float> gradients) {
    const std::span<float> images = workspace_->images();
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = hash_number(91, i);
    const std::vector<std::uint8_t> labels(kCapacity, 0);
    gradient(*workspace_, parameters_.values, {images, labels}, {}, LinearLoss(), gradients);
  }

  /// Weights that keep activations near 1, scales near 1, all else in [-1/2, 1/2).
  void fill_tensor(int index) {
    const TensorSpec& tensor = parameters_.layout->tensors()[static_cast<std::size_t>(index)];
    const double fan_in = static_cast<double>(tensor.size) / tensor.channels;
    const float spread = tensor.role == Role::kWeight ? static_cast<float>(std::sqrt(3.0 / fan_in)) : 0.5F;
    const float middle = tensor.name.ends_with(".scale") ? 1.0F : 0.0F;
    const std::span<float> values = parameters_.tensor(index);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = middle + spread * hash_number(1 + static_cast<std::uint64_t>(index), i);
  }

  double loss_at(std::size_t element, float value) {
    const float before = std::exchange(parameters_.values[element], value);
    const double loss = std::get<0>(GetParam()).as_trained ? trained_loss() : inference_loss();
    parameters_.values[element] = before;
    return loss;
  }

  double inference_loss() {
    FloatBuffer unused(labels_.size() * kOutputs);
    const std::span<const float> outputs = forward(*workspace_, parameters_.values, {images_, labels_});
    return LinearLoss().apply(outputs, labels_, kOutputs, unused).loss;
  }

  double trained_loss() {
    FloatBuffer unused(parameters_.values.size());
    return gradient(*workspace_, parameters_.values, {images_, labels_}, {}, LinearLoss(), unused).loss;
  }

  struct Difference {
    double slope;  // (L(w + h) - L(w - h)) / 2h
    double bend;   // |L(w + h) - 2 L(w) + L(w - h)| / 2h: by how much a kink within the step shifts the slope
  };

  Difference central_difference(std::size_t element, double here, float step) {
    const float at = parameters_.values[element];
    const double above = loss_at(element, at + step);
    const double below = loss_at(element, at - step);
    return {(above - below) / (2.0 * step), std::fabs(above - 2.0 * here + below) / (2.0 * step)};
  }

  enum class Verdict { kAgrees, kDisagrees, kBent };

  /// Tries a step at which rounding is small, then a shorter one that kinks of opposite sign are less likely to share.
  Verdict check_element(std::size_t element, double analytic, double here, double tolerance, Difference& last) {
    bool bent = false;
    for (const float step : {0x1p-9F, 0x1p-12F}) {
      last = central_difference(element, here, step);
      if (last.bend > 4 * tolerance) {
        bent = true;
      } else if (std::fabs(analytic - last.slope) <= last.bend + tolerance) {
        return Verdict::kAgrees;
      }
    }
    return bent ? Verdict::kBent : Verdict::kDisagrees;
  }

  /// Checks up to 150 elements. Those where a ReLU or a maximum changes its mind within the step are only counted.
  void check_tensor(const TensorSpec& tensor, std::span<const float> analytic) {
    double largest = 0;
    for (const float g : analytic) largest = std::max(largest, std::fabs(static_cast<double>(g)));
    if (tensor.role == Role::kStatistic) {
      EXPECT_EQ(largest, 0.0) << tensor.name;
      return;
    }
    ASSERT_GT(largest, 0.0) << tensor.name << " has no gradient";
    const double tolerance = 5e-4 + 1e-3 * largest;
    const double here = loss_at(tensor.offset, parameters_.values[tensor.offset]);
    const std::size_t stride = 1 + tensor.size / 150;
    const int before = checked_;
    for (std::size_t i = 0; i < tensor.size; i += stride) {
      Difference difference{};
      const Verdict verdict = check_element(tensor.offset + i, analytic[i], here, tolerance, difference);
      ++(verdict == Verdict::kBent ? bent_ : checked_);
      if (verdict == Verdict::kDisagrees)
        ADD_FAILURE() << tensor.name << "[" << i << "]: gradient " << analytic[i] << ", difference " << difference.slope
                      << ", tolerance " << tolerance;
    }
    EXPECT_GT(checked_, before) << tensor.name;
  }

  int checked_ = 0;
  int bent_ = 0;
  std::shared_ptr<const Network> network_;
  Parameters parameters_;
  FloatBuffer images_;
  std::vector<std::uint8_t> labels_;
  std::unique_ptr<Workspace> workspace_;
};

TEST_P(FiniteDifference, AgreesWithTheGradient) {
  FloatBuffer gradients(parameters_.values.size(), 1000.0F);  // every element must be written
  leave_traces(gradients);
  std::copy(images_.begin(), images_.end(), workspace_->images().begin());
  gradient(*workspace_, parameters_.values, {workspace_->images(), labels_}, {}, LinearLoss(), gradients);
  for (const TensorSpec& tensor : parameters_.layout->tensors())
    check_tensor(tensor, std::span<const float>(gradients).subspan(tensor.offset, tensor.size));
  EXPECT_GT(checked_, 3 * bent_);
}

INSTANTIATE_TEST_SUITE_P(Layers, FiniteDifference,
                         testing::Combine(testing::ValuesIn(layer_cases()), testing::Values(1, 2, 5, kCapacity)),
                         [](const auto& parameter) {
                           const std::string live = std::to_string(std::get<1>(parameter.param));
                           return std::get<0>(parameter.param).name + "_live" + live;
                         });

}  // namespace
}  // namespace anybit
