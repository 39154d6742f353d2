#include "client/batch_gradient.h"

#include <algorithm>
#include <cassert>
#include <functional>

#include "nn/parallel.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 15;  // floats that a thread adds up at once

}  // namespace

/// What works on one chunk.
struct BatchGradient::Lane {
  Lane(const TrainingPlan& plan, int samples, bool first) : workspace(plan.network, samples, Mode::kTraining) {
    if (!first) gradients.resize(plan.layout->size());
    if (plan.method.quantizers) program = plan.method.quantizers->make_program(plan.network, plan.layout);
  }

  Workspace workspace;
  std::unique_ptr<SlotProgram> program;
  FloatBuffer gradients;  // empty in the first lane, which writes where the sum shall be
  Batch batch;
  Score score;
};

BatchGradient::BatchGradient(const TrainingPlan& plan, std::uint32_t chunks) : plan_(plan) {
  const int samples = (plan.batch + static_cast<int>(chunks) - 1) / static_cast<int>(chunks);
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk)
    lanes_.push_back(std::make_unique<Lane>(plan, samples, chunk == 0));
}

BatchGradient::~BatchGradient() = default;

void BatchGradient::watch(NodeTimes* times) { lanes_.front()->workspace.watch(times); }

void BatchGradient::begin_client(std::span<const float> parameters, int threads) {
  threads_ = threads;
  for (const auto& lane : lanes_)
    if (lane->program) lane->program->begin_client(parameters);
}

void BatchGradient::gather(const ExamplesView& examples, std::span<const std::uint32_t> picks,
                           const Normalization& normalization) {
  live_ = picks.size();
  used_ = std::min(lanes_.size(), live_);
  const auto work = [&](std::size_t chunk, int /*worker*/) {
    const std::size_t begin = chunk_begin(live_, used_, chunk), end = chunk_begin(live_, used_, chunk + 1);
    Lane& lane = *lanes_[chunk];
    lane.batch = anybit::gather(examples, picks.subspan(begin, end - begin), normalization, lane.workspace.images(),
                                lane.workspace.labels());
    lane.batch.first = static_cast<int>(begin);
  };
  parallel_for(used_, threads_, std::cref(work));  // by reference: a copy would be allocated
}

Score BatchGradient::at(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
                        std::span<float> into, bool update_statistics) {
  const bool whole = lanes_.size() == 1;  // what is cut has no running statistics
  const auto work = [&](std::size_t chunk, int /*worker*/) {
    Lane& lane = *lanes_[chunk];
    const PassSettings settings =
        prepare(lane, widths, moment, update_statistics && whole ? parameters : std::span<float>());
    const std::span<float> gradients = chunk == 0 ? into : std::span<float>(lane.gradients);
    lane.score = gradient(lane.workspace, parameters, lane.batch, settings, loss(), gradients);
  };
  parallel_for(used_, threads_, std::cref(work));
  add_up(into);
  Score score;
  for (std::size_t chunk = 0; chunk < used_; ++chunk) {
    const Lane& lane = *lanes_[chunk];
    score.loss += lane.score.loss * (static_cast<double>(lane.batch.live()) / static_cast<double>(live_));
    score.correct += lane.score.correct;
  }
  return score;
}

Score BatchGradient::descend(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
                             const PlainStep& step, std::span<float> scratch) {
  assert(lanes_.size() == 1);
  Lane& lane = *lanes_.front();
  return anybit::descend(lane.workspace, *plan_.layout, parameters, lane.batch,
                         prepare(lane, widths, moment, parameters), loss(), step, scratch);
}

PassSettings BatchGradient::prepare(Lane& lane, std::span<const std::uint8_t> widths, const Moment& moment,
                                    std::span<float> statistics) const {
  PassSettings settings;
  settings.draw = moment.draw;
  settings.statistics = statistics;
  if (lane.program) {
    lane.program->begin_step(widths, moment);
    settings.function = lane.program.get();
  }
  return settings;
}

const Loss& BatchGradient::loss() const {
  return plan_.method.loss ? *plan_.method.loss : static_cast<const Loss&>(cross_entropy_);
}

void BatchGradient::add_up(std::span<float> into) const {
  if (used_ == 1) return;
  const auto work = [&](std::size_t piece, int /*worker*/) {
    const std::size_t begin = piece * kPiece, end = std::min(begin + kPiece, into.size());
    float* sum = into.data();
    for (std::size_t chunk = 0; chunk < used_; ++chunk) {
      const Lane& lane = *lanes_[chunk];
      const float weight = static_cast<float>(lane.batch.live()) / static_cast<float>(live_);
      const float* from = lane.gradients.data();
      if (chunk == 0) {
        for (std::size_t i = begin; i < end; ++i) sum[i] *= weight;
      } else {
#pragma GCC ivdep
        for (std::size_t i = begin; i < end; ++i) sum[i] += weight * from[i];
      }
    }
  };
  parallel_for((into.size() + kPiece - 1) / kPiece, threads_, std::cref(work));
}

void BatchGradient::count_trained(std::span<std::uint32_t> steps) const {
  if (lanes_.front()->program) lanes_.front()->program->count_trained(steps);
}

}  // namespace anybit
