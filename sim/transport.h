#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/federation.h"
#include "wire/message.h"

namespace anybit {

/// Bytes of the frames that went each way. What belongs to the connection itself (greetings, goodbye) is not counted:
/// it is no round's.
struct Traffic {
  std::uint64_t down = 0;  // server to clients
  std::uint64_t up = 0;

  Traffic& operator+=(const Traffic& other) {
    down += other.down;
    up += other.up;
    return *this;
  }
  Traffic operator-(const Traffic& before) const { return {down - before.down, up - before.up}; }
};

/// An update as the server got it, with the frame that it came in. What it holds is used again for the next one.
struct ReceivedUpdate {
  Message message;              // its delta is a view into `frame`
  Bytes frame;                  // the frame is its start
  std::uint32_t frame_crc = 0;  // CRC32C of the whole frame, for the event log

  ReceivedUpdate() = default;
  ReceivedUpdate(ReceivedUpdate&&) = default;  // a moved vector's bytes stay in their place, and the view good
  ReceivedUpdate& operator=(ReceivedUpdate&&) = default;

  const UpdateMessage& update() const { return std::get<UpdateMessage>(message); }
};

/// A frame that did not get through. Both ends are this process, so it is a failure of the machine, never a client's
/// loss: the run must end, and goes on from its last checkpoint.
class TransportError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Carries frames between the server and the clients that the workers play. Each worker talks through a line of its
/// own, so calls with different `worker` may run at the same time. All throw TransportError.
class Transport {
 public:
  virtual ~Transport() = default;

  /// To the client `receiver.client`; `received` then holds a TaskMessage, which is good as long as `sent` is and until
  /// the worker's next task.
  virtual void carry_task(int worker, const CohortTask& sent, const TaskReceiver& receiver, Message& received) = 0;
  /// From the client; `received` then owns its frame and holds an UpdateMessage.
  virtual void carry_update(int worker, const UpdateMessage& sent, ReceivedUpdate& received) = 0;
  /// An acknowledgement or a rejection, to the client that the worker played last.
  virtual void carry_answer(int worker, const Message& sent) = 0;

  /// What the worker has carried so far; only while it carries nothing.
  const Traffic& traffic(int worker) const { return lines_[static_cast<std::size_t>(worker)].traffic; }

 protected:
  explicit Transport(int workers) : lines_(static_cast<std::size_t>(workers)) {}
  Traffic& line(int worker) { return lines_[static_cast<std::size_t>(worker)].traffic; }

 private:
  struct alignas(64) Line {  // a cache line each
    Traffic traffic;
  };
  std::vector<Line> lines_;
};

/// The frames are handed over inside the process: encoded as for a network, and decoded again. Only a task's bulk is
/// read where the whole cohort has it; it is counted with each frame.
std::unique_ptr<Transport> make_memory_transport(int workers);
/// The same frames through loopback sockets, by the server's session code.
std::unique_ptr<Transport> make_tcp_transport(const Federation& federation, int workers);
/// By federation.transport.
std::unique_ptr<Transport> make_transport(const Federation& federation, int workers);

}  // namespace anybit
