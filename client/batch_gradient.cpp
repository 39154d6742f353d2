#include "client/batch_gradient.h"

#include <algorithm>
#include <array>
#include <functional>

#include "nn/parallel.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 15;  // floats that a thread adds up at once
constexpr std::size_t kBlock = std::size_t{1} << 12;  // and that stay in the nearest cache until their step is taken

/// All that the optimiser moves, none longer than kPiece.
std::vector<TensorRun> pieces_of(const Layout& layout) {
  std::vector<TensorRun> pieces;
  for_each_run(layout, [&](const TensorRun& run) {
    for (std::size_t at = 0; at < run.size; at += kPiece)
      pieces.push_back({run.offset + at, std::min(kPiece, run.size - at), run.group});
  });
  return pieces;
}

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
  if (chunks > 1) pieces_ = pieces_of(*plan.layout);
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
  const Score score = gradients_of_chunks(widths, moment, parameters, into, update_statistics);
  if (used_ > 1) add_up(into);
  return score;
}

Score BatchGradient::descend(std::span<const std::uint8_t> widths, const Moment& moment, std::span<float> parameters,
                             const PlainStep& step, std::span<float> scratch) {
  if (used_ > 1) {
    const Score score = gradients_of_chunks(widths, moment, parameters, scratch, true);
    step_along_sum(parameters, step, scratch);
    return score;
  }
  Lane& lane = *lanes_.front();
  return anybit::descend(lane.workspace, *plan_.layout, parameters, lane.batch,
                         prepare(lane, widths, moment, parameters), loss(), step, scratch);
}

/// Each chunk's own gradient, the first one's in `first`; the score of all.
Score BatchGradient::gradients_of_chunks(std::span<const std::uint8_t> widths, const Moment& moment,
                                         std::span<float> parameters, std::span<float> first, bool update_statistics) {
  const auto work = [&](std::size_t chunk, int /*worker*/) {
    Lane& lane = *lanes_[chunk];
    const PassSettings settings = prepare(lane, widths, moment, update_statistics ? parameters : std::span<float>());
    const std::span<float> gradients = chunk == 0 ? first : std::span<float>(lane.gradients);
    lane.score = gradient(lane.workspace, parameters, lane.batch, settings, loss(), gradients);
  };
  parallel_for(used_, threads_, std::cref(work));
  Score score;
  for (std::size_t chunk = 0; chunk < used_; ++chunk) {
    const Lane& lane = *lanes_[chunk];
    score.loss += lane.score.loss * (static_cast<double>(lane.batch.live()) / static_cast<double>(live_));
    score.correct += lane.score.correct;
  }
  return score;
}

PassSettings BatchGradient::prepare(Lane& lane, std::span<const std::uint8_t> widths, const Moment& moment,
                                    std::span<float> statistics) const {
  PassSettings settings;
  settings.draw = moment.draw;
  if (lanes_.size() == 1) settings.statistics = statistics;  // what is cut has none that run
  if (lane.program) {
    lane.program->begin_step(widths, moment);
    settings.function = lane.program.get();
  }
  return settings;
}

const Loss& BatchGradient::loss() const {
  return plan_.method.loss ? *plan_.method.loss : static_cast<const Loss&>(cross_entropy_);
}

/// sum[i] = number begin + i of the chunks' gradients, weighted by their samples. The first chunk's gradient may be
/// where the sum goes.
void BatchGradient::sum_chunks(std::span<const float> first, std::size_t begin, std::span<float> sum) const {
  for (std::size_t chunk = 0; chunk < used_; ++chunk) {
    const Lane& lane = *lanes_[chunk];
    const float weight = static_cast<float>(lane.batch.live()) / static_cast<float>(live_);
    const float* from = (chunk == 0 ? first.data() : lane.gradients.data()) + begin;
    if (chunk == 0) {
#pragma GCC ivdep
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = weight * from[i];
    } else {
#pragma GCC ivdep
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * from[i];
    }
  }
}

void BatchGradient::add_up(std::span<float> into) const {
  const auto work = [&](std::size_t piece, int /*worker*/) {
    const std::size_t begin = piece * kPiece;
    sum_chunks(into, begin, into.subspan(begin, std::min(kPiece, into.size() - begin)));
  };
  parallel_for((into.size() + kPiece - 1) / kPiece, threads_, std::cref(work));
}

void BatchGradient::step_along_sum(std::span<float> parameters, const PlainStep& step,
                                   std::span<const float> first) const {
  const auto work = [&](std::size_t piece, int /*worker*/) {
    const TensorRun& run = pieces_[piece];
    std::array<float, kBlock> sum;
    for (std::size_t at = run.offset; at < run.offset + run.size; at += kBlock) {
      const std::size_t size = std::min(kBlock, run.offset + run.size - at);
      sum_chunks(first, at, std::span(sum).first(size));
      kernels().plain_step(parameters.data() + at, sum.data(), size, step_of(step, run.group));
    }
  };
  parallel_for(pieces_.size(), threads_, std::cref(work));
}

std::size_t BatchGradient::bytes() const {
  std::size_t bytes = 0;
  for (const auto& lane : lanes_)
    bytes += lane->workspace.bytes() + held_bytes(lane->gradients) + (lane->program ? lane->program->bytes() : 0);
  return bytes;
}

void BatchGradient::count_trained(std::span<std::uint32_t> steps) const {
  if (lanes_.front()->program) lanes_.front()->program->count_trained(steps);
}

}  // namespace anybit
