#include "server/record/run_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "program/durable_file.h"
#include "server/grid_points.h"
#include "server/record/accuracy_table.h"
#include "server/record/class_table.h"
#include "server/record/data_record.h"
#include "server/record/kernel_record.h"

namespace anybit {
namespace {

constexpr std::chrono::seconds kFlushInterval{1};

/// A resumed run's log goes on where it was cut, as if the run had never stopped: the first start is the only one. But
/// one that had given up would not go on by itself.
bool is_restart(const LoggedEvent& event) { return event.kind == LoggedEvent::Kind::kStarted && event.round > 0; }

Checkpoint first_checkpoint(const Federation& federation, std::string kernels) {
  Checkpoint checkpoint;
  checkpoint.scenario = federation.result_bearing;
  checkpoint.kernel_set = std::move(kernels);
  checkpoint.data = data_record(federation.data->checksums);
  checkpoint.layout = federation.training.layout->digest();
  return checkpoint;
}

/// By the words of whoever refused the update.
bool is_of_divergence(const std::string& failure) { return failure.find("not finite") != std::string::npos; }

void flush_folders(const std::filesystem::path& run) {
  if (const std::string failure = flush_folder(run.string()); !failure.empty()) throw RunError(failure);
  (void)flush_folder(run.parent_path().string());  // which may be one that this user cannot open
}

bool all_known(const std::vector<GridPoint>& points, const std::vector<Accuracy>& known) {
  for (const GridPoint& point : points) {
    bool found = false;
    for (const Accuracy& accuracy : known) found = found || same_point(accuracy.point, point);
    if (!found) return false;
  }
  return true;
}

}  // namespace

RunRecorder::RunRecorder(const Federation& federation, RunDirectory directory, std::string kernels,
                         const FederationState& start, int threads, WhoTrains who)
    : federation_(federation),
      directory_(std::move(directory)),
      metrics_(directory_.metrics()),
      events_(directory_.events().string()),
      evaluator_(federation.training.network, *federation.data, threads, federation.training.method),
      checkpoint_(first_checkpoint(federation, std::move(kernels))),
      saved_round_(start.round > 0 ? std::optional(start.round) : std::nullopt),
      who_(who),
      abandoned_(count_abandoned(read_file(directory_.metrics()))),
      tries_again_(start.abandoned >= federation.plan().most_abandoned()),
      measures_(federation.fleet, federation.scenario.data.clients) {
  if (std::filesystem::exists(directory_.tasks())) measures_.restore(read_file(directory_.tasks()));
  flush_folders(directory_.path());  // the files that grow are there before a checkpoint says so
}

void RunRecorder::event(const LoggedEvent& event) {
  if (!is_restart(event) || tries_again_) events_.append(event);
}

void RunRecorder::note_kernels(const std::string& kernels) {
  checkpoint_.kernel_set = record_with(checkpoint_.kernel_set, kernels);
}

RunRecorder::Grid RunRecorder::grid_of(std::uint32_t version) const {
  const Scenario& scenario = federation_.scenario;
  if (version == static_cast<std::uint32_t>(scenario.federation.rounds)) return Grid::kFinal;
  const bool due = scenario.evaluate.every > 0 && version % static_cast<std::uint32_t>(scenario.evaluate.every) == 0;
  return due ? Grid::kRegular : Grid::kNone;
}

bool RunRecorder::evaluate(RoundRecord& record, const Parameters& global, const Stop& stop) {
  if (!measures(record.report)) return true;
  if (grid_of(record.report.version) == Grid::kFinal) {
    if (!evaluate_final(global, stop)) return false;
    record.accuracy = accuracy_;
    record.classes = classes_;
    return true;
  }
  std::optional<std::vector<Accuracy>> values = evaluator_.evaluate(global, federation_.scenario.evaluate.grid, stop);
  if (!values) return false;
  record.accuracy = std::move(*values);
  return true;
}

bool RunRecorder::evaluate_final(const Parameters& global, const Stop& stop) {
  const Scenario::Evaluate& settings = federation_.scenario.evaluate;
  std::optional<std::vector<Accuracy>> values = evaluator_.evaluate(global, settings.final_grid, stop);
  if (!values) return false;
  if (settings.every > 0 && !all_known(grid_points(settings.grid), *values)) {
    const std::optional<std::vector<Accuracy>> regular = evaluator_.evaluate(global, settings.grid, stop);
    if (!regular) return false;
    values = merge_accuracies(std::move(*values), *regular);
  }
  if (who_ == WhoTrains::kThisProcess) {
    std::optional<std::vector<ClassAccuracy>> classes =
        evaluate_classes(evaluator_, global, federation_, settings.final_grid, stop);
    if (!classes) return false;
    classes_ = std::move(*classes);
  }
  accuracy_ = std::move(*values);
  return true;
}

void RunRecorder::conclude(const RoundRecord& record) {
  if (record.report.abandoned) {
    ++abandoned_;
    diverged_ = diverged_ || std::ranges::any_of(record.failures, is_of_divergence);
    failure_ = record.failures.empty() ? "" : record.failures.front();
    overdue_ = record.report.overdue > 0;
  }
  if (record.time) {
    const RoundMeasures measures = measures_.round(record.tasks);
    metrics_.write_line(metrics_line(record, &measures, measures_.classes()));
    write_tasks(record.tasks);
  } else {
    metrics_.write_line(metrics_line(record));
  }
  if (Clock::now() - flushed_ < kFlushInterval) return;
  metrics_.flush();
  events_.flush();
  flushed_ = Clock::now();
}

void RunRecorder::write_tasks(const std::vector<TaskRecord>& tasks) {
  if (!tasks_) {
    const bool is_new = !std::filesystem::exists(directory_.tasks());
    tasks_.emplace(directory_.tasks());
    if (is_new) tasks_->write_line(tasks_header());
  }
  for (const TaskRecord& task : tasks) tasks_->write_line(tasks_line(task, measures_.classes()));
}

bool RunRecorder::checkpoint_is_due(std::uint32_t version) const {
  const std::chrono::duration<double> worked = Clock::now() - saved_;
  return version == static_cast<std::uint32_t>(federation_.scenario.federation.rounds) ||
         worked.count() >= federation_.scenario.checkpoint.seconds;
}

void RunRecorder::save(const FederationState& state, const ClientStateReader* client_states) {
  metrics_.sync();  // a checkpoint promises the lines before it, in all files
  events_.sync();
  if (tasks_) tasks_->sync();
  const std::uint32_t version = state.version;
  write_checkpoint(checkpoint_path(directory_.checkpoints().string(), version), checkpoint_, state, client_states);
  prune_checkpoints(directory_.checkpoints().string(), version, federation_.scenario.checkpoint.keep);
  saved_round_ = state.round;
  saved_ = Clock::now();
}

void RunRecorder::save_what_is_kept(const ClientStateReader* client_states) {
  if (saved_round_ != checkpoint_.state.round) save(checkpoint_.state, client_states);
}

std::string RunRecorder::result_text() const {
  std::string text =
      fmt::format("\naccuracy in % on the test examples, by width of the weights\n{}", accuracy_table(accuracy_));
  if (!classes_.empty()) text += '\n' + class_table(classes_);
  return text + fmt::format("\nmodel: {}\n", directory_.model().string());
}

std::string RunRecorder::abandoned_text(const FederationState& state) const {
  if (abandoned_ == 0) return "";
  return fmt::format("{} of {} rounds were abandoned: {}", abandoned_, state.round, why_abandoned());
}

std::string RunRecorder::given_up_text(const FederationState& state, bool nobody_left) const {
  std::string why = why_abandoned();
  if (!federation_.plan().asynchrony) why = fmt::format("the last {} rounds were abandoned: {}", state.abandoned, why);
  if (nobody_left) why = why_nobody_is_left();
  std::string text =
      fmt::format("gave up at version {} of {}: {}", state.version, federation_.scenario.federation.rounds, why);
  if (state.version > 0)
    text += fmt::format("; the model so far is {}", checkpoint_path(directory_.checkpoints().string(), state.version));
  return text;
}

std::string RunRecorder::why_nobody_is_left() const {
  const std::string who =
      federation_.plan().asynchrony
          ? "no client is available from then on but those whose updates wait for the version's last"
          : fmt::format("fewer than {} clients are available at once from then on, as far as was looked ahead",
                        federation_.scenario.federation.policy.minimum);
  return who + "; the classes' availability says when";
}

std::string RunRecorder::why_abandoned() const {
  const RoundPolicy& policy = federation_.scenario.federation.policy;
  std::string text =
      policy.minimum == 1 ? "no update was valid" : fmt::format("fewer than {} updates were valid", policy.minimum);
  if (federation_.plan().asynchrony) text = "too many tasks of a version were lost, refused or late";
  if (!diverged_ && !failure_.empty()) text += fmt::format(" (at last: {})", failure_);
  return text + remedy();
}

std::string RunRecorder::remedy() const {
  if (diverged_)
    return "; updates were not finite: a smaller learning rate (training.optimizer.rate) is the usual remedy";
  return overdue_ ? "; more time (federation.deadline) may help" : "";
}

bool RunRecorder::finish(const FederationState& state, const Stop& stop) {
  // Killed between the last checkpoint and the model.
  if (accuracy_.empty() && !evaluate_final(state.global, stop)) return false;
  write_checkpoint(directory_.model().string(), checkpoint_, state);
  return true;
}

}  // namespace anybit
