#include "client/training_job.h"

#include <utility>

namespace anybit {

TrainingJob::TrainingJob(const TrainingPlan& plan, const LocalData& data, std::span<const int> widths, int threads)
    : data_(data), widths_(widths.begin(), widths.end()), threads_(threads), trainer_(plan) {
  trainer_.stop_when(cancelled_);
}

void TrainingJob::cancel() {
  if (!at_work()) return;
  cancelled_ = true;
  UpdateMessage unused;
  (void)finish(unused);
  cancelled_ = false;
}

void TrainingJob::start(const TaskMessage& task, FloatBuffer kept) {
  kept_ = std::move(kept);
  parameters_.assign(task.parameters.begin(), task.parameters.end());
  digest_ = crc32c(parameters_);
  task_ = task;
  task_.parameters = parameters_;
  done_ = false;
  thread_ = std::thread([this] {
    try {
      refusal_ = trainer_.train(task_, data_.examples(), data_.normalization(), widths_, update_, threads_, kept_);
    } catch (const std::exception& failure) {  // out of memory, say
      refusal_ = failure.what();
    }
    done_.store(true, std::memory_order_release);
  });
}

std::string TrainingJob::finish(UpdateMessage& update) {
  thread_.join();
  done_ = false;
  update = update_;
  return std::exchange(refusal_, {});
}

}  // namespace anybit
