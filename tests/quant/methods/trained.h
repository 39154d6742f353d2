#pragma once

#include <vector>

#include "nn/gradient.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {

/// A batch of 8 examples of the small network.
class SmallBatch {
 public:
  explicit SmallBatch(Workspace& workspace) : images_(workspace.images()) {
    Stream stream({21, Purpose::kTest});
    for (float& x : images_) x = static_cast<float>(stream.normal());
  }
  Batch batch() { return {images_, labels_}; }

 private:
  std::span<float> images_;
  std::vector<std::uint8_t> labels_ = {0, 1, 2, 0, 1, 2, 2, 1};
};

/// The gradient of a played client at the widths that it is asked for.
class PlayedGradient final : public StepGradient {
 public:
  PlayedGradient(Played& played, Workspace& workspace, Batch batch)
      : played_(played), workspace_(workspace), batch_(batch) {}

  Score at(std::span<const std::uint8_t> widths, std::span<float> gradients, bool update_statistics) override {
    if (played_.program) played_.program->begin_step(widths, played_.moment);
    PassSettings slots{played_.program.get(), {}, played_.moment.draw};
    if (update_statistics) slots.statistics = played_.parameters.values;
    return gradient(workspace_, played_.parameters.values, batch_, slots, CrossEntropy(), gradients);
  }

 private:
  Played& played_;
  Workspace& workspace_;
  Batch batch_;
};

/// The parameters after some steps of plain descent under a method.
inline FloatBuffer train(const Part& part, std::uint32_t steps) {
  Played played(part);
  Workspace workspace(played.network, 8, Mode::kTraining);
  SmallBatch examples(workspace);
  PlayedGradient of_batch(played, workspace, examples.batch());
  const Method& method = played.method;
  std::vector<float> scratch(method.rule ? played.layout->size() : 0);
  for (std::uint32_t step = 0; step < steps; ++step) {
    played.moment.draw.step = step;
    if (method.schedule) method.schedule->choose(played.moment, played.network->slots(), played.chosen);
    if (method.rule)
      method.rule->step(of_batch, played.chosen, played.gradients, scratch);
    else
      of_batch.at(played.chosen, played.gradients, true);
    if (method.penalty) method.penalty->add(*played.network, played.parameters.values, played.gradients);
    for (std::size_t i = 0; i < played.layout->size(); ++i) played.parameters.values[i] -= 0.1F * played.gradients[i];
  }
  return played.parameters.values;
}

}  // namespace anybit
