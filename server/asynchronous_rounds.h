#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/idle_clients.h"
#include "server/version_maker.h"

namespace anybit {

/// Asynchronous rounds (FedBuff: Nguyen et al. 2022; FedAsync: Xie et al. 2019), by plan.asynchrony: so many clients
/// train at any time, each from the version that was current when it was asked; who answers or fails is replaced by
/// another that is drawn among those that can be reached, on the current version; plan.cohort updates that count make
/// the next one. A task's number among all tasks stands where a synchronous one has its round (TaskId::round).
///
/// Beside what Coordinator promises:
///  - nobody has two tasks at once, nor one while an update of its own waits for the version that it will count in;
///  - who is asked next is a function of (seed, number of the task), of the time where not all can be reached, and of
///    who is at work;
///  - a task is released at policy.deadline seconds from its beginning (0: never), and once its version is more than
///    max_staleness behind;
///  - it gives up where policy.give_up times as many tasks as train at once, or as a version takes if that is more,
///    have failed or missed their deadline since the last version. The version in progress is then abandoned: all at
///    work are released, the updates that wait count for nothing. Told to start again it goes on with new tasks.
class AsynchronousRounds final : public Rounds {
 public:
  explicit AsynchronousRounds(VersionMaker& maker);

  void handle(const Event& event, double now, std::vector<Action>& actions) override;
  void complete_state() override;

 private:
  struct Task {
    TaskInFlight flight;
    std::shared_ptr<const Downlink> downlink;
  };
  /// Parameters of a version, less those of the current one.
  struct Shift {
    std::uint32_t version = 0;
    FloatBuffer values;
  };

  void take(const Started& event, std::vector<Action>& actions);
  void take(const ClientJoined& event, std::vector<Action>& actions);
  void take(const UpdateArrived& event, std::vector<Action>& actions);
  void take(const ClientLost& event, std::vector<Action>& actions);
  void take(const TimePassed& event, std::vector<Action>& actions);

  TaskId id(const TaskInFlight& task) const { return {maker_.plan.run, task.number, task.client}; }
  SendTask send(const Task& task) const;
  const Task* find(const TaskId& id) const;
  std::string misdirected(const UpdateArrived& event) const;
  Contribution contribution(const UpdateArrived& event, const Task& task);
  std::span<const float> shift_from(const Downlink& downlink);
  void fail(std::uint32_t client, std::vector<Action>& actions);
  void end(std::uint32_t client);
  void release(std::vector<std::uint32_t> clients, std::vector<Action>& actions);
  bool gives_up(std::vector<Action>& actions);
  void give_up(bool nobody_left, std::vector<Action>& actions);
  void conclude(std::vector<Action>& actions);
  void end_version(bool abandoned, std::vector<Action>& actions);
  void begin_version();
  void release_stale(std::vector<Action>& actions);
  void read_state();

  void fill(std::vector<Action>& actions);
  void give(std::uint32_t client, std::vector<Action>& actions);
  bool is_idle(std::uint32_t client) const { return !tasks_.contains(client) && !waiting_.contains(client); }
  void ask_to_be_woken(std::vector<Action>& actions);
  void release_overdue(std::vector<Action>& actions);

  VersionMaker& maker_;
  const Asynchrony& settings_;
  double now_ = 0;
  bool running_ = false;
  std::map<std::uint32_t, Task> tasks_;             // by client
  std::map<std::uint32_t, std::uint32_t> waiting_;  // client -> number of the task whose update waits to be joined
  std::map<std::uint32_t, std::uint32_t> by_age_;   // number -> client of the tasks: the oldest first
  std::vector<Task> ended_;                         // since the last version, of those given before it
  std::shared_ptr<const Downlink> downlink_;        // of the current version, once somebody needs it
  std::vector<Shift> shifts_;                       // towards the current version
  IdleClients idle_;
  std::uint32_t next_number_ = 0;
  double idle_since_ = 0;       // where nobody is at work
  bool asked_ = false;          // to be woken
  bool state_is_whole_ = true;  // as far as it is of tasks
  std::uint64_t in_vain_ = 0;   // tasks that failed or missed their deadline since the last version, or the start
  // Since the last version:
  double waited_ = 0;   // with nobody at work
  double longest_ = 0;  // from a client's coming by to its update that counts
  std::uint32_t failed_ = 0;
  std::uint32_t released_ = 0;
  std::uint32_t overdue_ = 0;
  std::uint64_t staleness_ = 0;  // sum over the updates that wait
  std::uint32_t most_stale_ = 0;
};

}  // namespace anybit
