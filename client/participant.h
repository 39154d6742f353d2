#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/backoff.h"
#include "client/client_run.h"
#include "client/connection.h"
#include "client/participant_settings.h"

namespace anybit {

/// One client of a real federation: connects, and connects again; takes tasks, or declines them; trains, and keeps the
/// answer until the server has it. It needs an address and its data: the scenario is the server's.
class Participant {
 public:
  using Stop = std::function<bool()>;
  using Tell = std::function<void(const std::string&)>;

  Participant(ParticipantSettings settings, Tell tell);
  ~Participant();

  /// Takes part until the server says that the run is over, or `stop` says so (true, false). Throws CommandError for
  /// what no second try would mend: the server refuses this client, or cannot be reached for too long. ScenarioErrors
  /// for data that is not there or does not fit the server's scenario.
  bool run(const Stop& stop);

 private:
  using Clock = std::chrono::steady_clock;
  enum class End : std::uint8_t { kWelcomed, kLost, kOver, kStopped };

  /// An answer that the server has not acknowledged.
  struct Kept {
    TaskId task;
    std::uint32_t digest = 0;  // of the parameters that it was trained from
    std::shared_ptr<const Bytes> frame;
  };

  End enter();
  void say_goodbye(const std::string& reason);
  Hello hello() const;
  bool prepare(const Welcome& welcome);
  End serve(const Stop& stop);
  std::chrono::milliseconds patience() const;
  std::optional<End> take(Message& message);
  End lose(const std::string& reason);
  End take(const Goodbye& goodbye);
  void take(const Offer& offer);
  void take(const TaskMessage& task);
  void forget(const TaskId& task, const std::string& rejection);
  std::string settle_state(const TaskMessage& task);
  std::string keep_state(const TaskId& task);
  void keep_answer();
  void cannot_do(const TaskId& task, const std::string& reason);
  void send_kept();
  void send(const Message& message);
  void send(std::shared_ptr<const Bytes> frame);
  bool wait(std::chrono::milliseconds time, const Stop& stop) const;

  const ParticipantSettings settings_;
  const Tell tell_;
  Connection connection_;
  Backoff backoff_;
  std::unique_ptr<ClientRun> run_;
  std::optional<Offer> accepted_;  // whose task has not come yet
  std::optional<Kept> kept_;
  std::optional<TaskId> dropped_;  // its answer was of other parameters: what the server says to that is to come
  std::string failure_;            // of the last connection, or of the last try to get one
  std::chrono::milliseconds heartbeat_{0};
  std::chrono::milliseconds hint_{0};  // when the server wants to see this client again
  Clock::time_point spoke_;            // when the server last heard something
  Clock::time_point heard_;            // when the server last said something
  Clock::time_point task_began_;
};

}  // namespace anybit
