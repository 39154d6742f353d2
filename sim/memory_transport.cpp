#include "sim/transport.h"

namespace anybit {
namespace {

/// One buffer a worker: a frame is written where the one before it was.
class MemoryTransport final : public Transport {
 public:
  explicit MemoryTransport(int workers) : Transport(workers), frames_(static_cast<std::size_t>(workers)) {}

  void carry_task(int worker, const TaskMessage& sent, const TaskReceiver& receiver, Message& received) override {
    Bytes& frame = empty_frame(worker);
    append_frame(sent, receiver, frame);
    line(worker).down += frame.size();
    decode(frame, received);
  }

  void carry_update(int worker, const UpdateMessage& sent, ReceivedUpdate& received) override {
    Bytes& frame = empty_frame(worker);
    append_frame(sent, frame);
    line(worker).up += frame.size();
    received.frame_crc = crc32c(frame);
    decode(frame, received.message);
  }

  void carry_answer(int worker, const Message& sent) override {
    Bytes& frame = empty_frame(worker);
    append_frame(sent, frame);
    line(worker).down += frame.size();
  }

 private:
  static void decode(const Bytes& frame, Message& received) {
    const std::string reason = decode_frame(frame, FrameLimits{}.body, received);
    if (!reason.empty()) throw TransportError("transport memory: " + reason);
  }

  Bytes& empty_frame(int worker) {
    Bytes& frame = frames_[static_cast<std::size_t>(worker)];
    frame.clear();
    return frame;
  }

  std::vector<Bytes> frames_;
};

}  // namespace

std::unique_ptr<Transport> make_memory_transport(int workers) { return std::make_unique<MemoryTransport>(workers); }

}  // namespace anybit
