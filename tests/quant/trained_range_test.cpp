// Models by the quantizers of their own method: what their programs do in evaluation passes.
#include <gtest/gtest.h>

#include <algorithm>

#include "quant/model_quantizer.h"
#include "tests/quant/methods/trained.h"

namespace anybit {
namespace {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

/// A row's settings under which its passes could be something else than a function of parameters and widths.
std::vector<Settings> settings_to_try(const RowInfo& row) {
  const auto knows = [&](const char* name) {
    return std::ranges::any_of(row.options, [&](const OptionRow& option) { return option.name == name; });
  };
  std::vector<Settings> all = {{}};
  if (knows("activations")) all.push_back({{"activations", std::int64_t{4}}});
  if (knows("activations") && knows("rounding"))
    all.push_back({{"activations", std::int64_t{4}}, {"rounding", "stochastic"}});
  if (knows("range")) all.push_back({{"range", "mse"}, {"granularity", "channel"}});
  return all;
}

/// A client that has trained one step, at widths of which none is float where its method has another.
struct Trained : Played {
  explicit Trained(const Part& part) : Played(part) {
    method.schedule->choose(moment, network->slots(), chosen);
    PlayedGradient of_batch(*this, workspace, examples.batch());
    of_batch.at(chosen, gradients, true);
    evaluated = method.quantizers->make_program(network, layout, Passes::kEvaluation);
    evaluated->begin_client(parameters.values);
  }

  /// Of a pass that would draw what is named by the round, and could move statistics.
  std::vector<float> outputs(SlotProgram& its, std::uint32_t round) {
    Moment at = moment;
    at.draw.round = round;
    its.begin_step(chosen, at);
    return copy_of(forward(workspace, parameters.values, examples.batch(), {&its, parameters.values, at.draw}));
  }

  Workspace workspace{network, 8, Mode::kTraining};
  SmallBatch examples{workspace};
  std::unique_ptr<SlotProgram> evaluated;
};

TEST(Methods, EvaluationIsDeterministicAndChangesNothing) {
  for (const auto& row : methods().rows())
    for (const Settings& settings : settings_to_try(row.info)) {
      const Part part = method_part(row.info.name, settings);
      if (!methods().make(part).quantizers) continue;
      Trained model(part);
      const FloatBuffer before = model.parameters.values;
      const std::vector<float> first = model.outputs(*model.evaluated, 1);
      EXPECT_EQ(model.outputs(*model.evaluated, 2), first) << row.info.name;
      EXPECT_EQ(model.parameters.values, before) << row.info.name << ": a statistic was moved";
      model.evaluated->begin_step(std::vector<std::uint8_t>(model.chosen.size(), kFloatWidth), {});
      EXPECT_NE(copy_of(forward(model.workspace, model.parameters.values, model.examples.batch(),
                                {.function = model.evaluated.get()})),
                first)
          << row.info.name << " quantizes nothing, so this tests nothing";
    }
}

TEST(TrainedRange, RoundsWhereTrainingAddsNoiseOrDraws) {
  const std::vector<Part> parts = {
      method_part("apqn", {{"widths", widths({3})}}),
      method_part("apqn", {{"widths", widths({3})}, {"granularity", "channel"}, {"range", "mse"}}),
      method_part("qat", {{"width", std::int64_t{3}}, {"rounding", "stochastic"}}),
      method_part("qat", {{"width", std::int64_t{3}}, {"rounding", "half_up"}})};
  for (const Part& part : parts) {
    Trained model(part);
    GridPoint point;
    point.weights = 3;
    if (part.options.has("range")) point.range = part.options.text("range");
    if (part.options.has("granularity")) point.granularity = part.options.text("granularity");
    const Parameters quantized = quantize_weights(*model.network, model.parameters, point);
    model.evaluated->begin_step(model.chosen, model.moment);
    model.program.swap(model.evaluated);
    for (const int slot : {0, 2})
      EXPECT_EQ(model.weight_of(slot), copy_of(quantized.tensor(model.site(slot).tensor))) << part.name;
  }
}

TEST(TrainedRange, OfActivationsIsTheStoredOne) {
  Trained model(method_part("qat", {{"activations", std::int64_t{3}}}));
  GridPoint point;
  point.activations = 3;
  model.evaluated->begin_step(slot_widths(*model.network, point), {});
  const auto quantizer = make_activation_quantizer(
      *model.network, model.method.quantizers->activation_ranges(*model.network, model.parameters), point);
  std::vector<float> x(20), by_ranges(20), by_method(20);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.1F * static_cast<float>(i) - 0.5F;
  SlotPass pass;
  pass.parameters = model.parameters.values;
  EXPECT_FALSE(model.evaluated->forward(model.site(2), x, by_method, pass)) << "weights stay float";
  ASSERT_TRUE(quantizer->forward(model.site(3), x, by_ranges, pass));
  ASSERT_TRUE(model.evaluated->forward(model.site(3), x, by_method, pass));
  EXPECT_EQ(by_method, by_ranges);
}

TEST(TrainedRange, HasWidthsOfItsOwnForTheEnds) {
  GridPoint point;
  point.weights = 4;
  point.activations = 8;
  point.first = 6;
  EXPECT_EQ(slot_widths(*two_layers(), point), (std::vector<std::uint8_t>{6, 6, 4, 8}));
  point.activations = kFloatWidth;
  point.last = 2;
  EXPECT_EQ(slot_widths(*two_layers(), point), (std::vector<std::uint8_t>{6, 32, 2, 32}));
}

std::string mismatch_of(const Part& part, const GridPoint& point) {
  Played played(part);
  return trained_mismatch(played.method, played.network, played.layout, point);
}

TEST(TrainedRange, SaysBeforehandWhatTheMethodHasNothingFor) {
  GridPoint point;
  point.range = kTrainedRange;
  EXPECT_EQ(mismatch_of(method_part("fedavg"), point), "") << "everything stays float";
  point.weights = 4;
  for (const char* name : {"fedavg", "kure"})
    EXPECT_EQ(mismatch_of(method_part(name), point),
              std::string("range rule 'trained': method '") + name +
                  "' has no quantizers; choose another range rule, or train with one that has");
  const Part lsq = method_part("lsq", {{"width", std::int64_t{4}}, {"last", std::int64_t{6}}});
  point.last = 6;
  EXPECT_EQ(mismatch_of(lsq, point), "");
  point.last = 0;
  EXPECT_EQ(mismatch_of(lsq, point),
            "range rule 'trained': the method learned no step of dense2.weight at 4 bits; train with this width, or "
            "choose another range rule");
  point.range = "minmax";
  EXPECT_EQ(mismatch_of(lsq, point), "");
}

TEST(TrainedRange, SaysBeforehandWhatTheMethodHasNothingForAtActivations) {
  for (const char* name : {"lsq", "lsqplus"}) {
    const Part lsq = method_part(name, {{"activations", std::int64_t{8}}});
    GridPoint point;
    point.range = kTrainedRange;
    point.activations = 8;
    EXPECT_EQ(mismatch_of(lsq, point), "");
    point.activations = 6;
    EXPECT_EQ(mismatch_of(lsq, point),
              "range rule 'trained': the method learned no step of dense2.input at 6 bits; train with this width, or "
              "choose another range rule");
    point.last = 8;
    EXPECT_EQ(mismatch_of(lsq, point), "") << "the image has a moving range, for any width";
    EXPECT_EQ(mismatch_of(method_part(name), point),
              "range rule 'trained': the method trained with float activations; train with its option `activations`, "
              "or leave them at 32");
  }
}

}  // namespace
}  // namespace anybit
