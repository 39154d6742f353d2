#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/backoff.h"
#include "client/connection.h"
#include "client/local_data.h"
#include "client/state_file.h"
#include "client/task_limits.h"
#include "client/training_job.h"

namespace anybit {

/// What a participant is told by its owner.
struct ParticipantSettings {
  std::string host;
  std::uint16_t port = 0;
  std::optional<Shard> shard;  // none: the examples are its own
  std::uint32_t client = 0;    // who it is, where the examples are its own
  DataPlace data;
  std::vector<std::string> data_directories;  // for a shard of which no place is named
  std::optional<TlsSettings> tls;             // none: plain
  std::vector<int> widths;                    // that the device can run; empty: as the scenario's fleet says
  TaskLimits limits;
  std::string state_folder = "client-state";  // where a method's state of this client is kept
  bool fresh_state = false;                   // a state that the server counts on and is lost begins at zeros
  std::chrono::milliseconds give_up{std::chrono::minutes(10)};  // without a word from the server
  int threads = 1;
};

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

  /// What is made of the server's scenario.
  struct Work;
  /// An answer that the server has not acknowledged.
  struct Kept {
    TaskId task;
    std::shared_ptr<const Bytes> frame;
  };

  End enter(std::string& failure);
  Hello hello() const;
  bool prepare(const Welcome& welcome);
  End serve(const Stop& stop);
  std::chrono::milliseconds patience() const;
  std::optional<End> take(Message& message);
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
  std::unique_ptr<Work> work_;
  std::uint64_t run_ = 0;
  std::optional<Kept> kept_;
  std::chrono::milliseconds heartbeat_{0};
  std::chrono::milliseconds hint_{0};  // when the server wants to see this client again
  Clock::time_point spoke_;            // when the server last heard something
  Clock::time_point heard_;            // when the server last said something
  Clock::time_point task_began_;
};

}  // namespace anybit
