#include "server/record/measures.h"

namespace anybit {
namespace {

constexpr std::uint32_t kPage = 4096;

}  // namespace

double jain_index(double sum, double sum_of_squares, double n) {
  return sum_of_squares > 0 ? sum * sum / (n * sum_of_squares) : 1;
}

Measures::Measures(const Fleet& fleet, std::uint32_t clients) : clients_(clients), pages_(clients / kPage + 1) {
  for (const FleetClass& one : fleet.classes()) {
    names_.push_back(one.name);
    members_.push_back(one.share * static_cast<double>(clients));
  }
  counted_of_class_.resize(names_.size());
}

void Measures::restore(std::string_view lines) {
  TaskRecord task;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    if (read_tasks_line(lines.substr(0, end), names_, task)) count(task);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void Measures::count(const TaskRecord& task) {
  if (task.outcome != TaskOutcome::kCounted || task.client >= clients_) return;
  std::unique_ptr<Page>& page = pages_[task.client / kPage];
  if (!page) page = std::make_unique<Page>(kPage, 0U);
  const double before = (*page)[task.client % kPage]++;
  counted_ += 1;
  squares_ += 2 * before + 1;
  if (task.device_class >= 0) counted_of_class_[static_cast<std::size_t>(task.device_class)] += 1;
}

RoundMeasures Measures::round(const std::vector<TaskRecord>& tasks) {
  RoundMeasures made;
  made.joules.resize(names_.size());
  for (const TaskRecord& task : tasks) {
    count(task);
    made.flops += task.flops;
    if (task.device_class >= 0) made.joules[static_cast<std::size_t>(task.device_class)] += task.joules;
    if (task.outcome == TaskOutcome::kCounted) continue;
    ++made.wasted_tasks;
    made.wasted_flops += task.flops;
    made.wasted_joules += task.joules;
  }
  made.fair_clients = jain_index(counted_, squares_, clients_);
  double sum = 0, squares = 0, classes = 0;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (members_[i] == 0) continue;
    const double mean = counted_of_class_[i] / members_[i];
    sum += mean;
    squares += mean * mean;
    classes += 1;
  }
  made.fair_classes = jain_index(sum, squares, classes);
  return made;
}

}  // namespace anybit
