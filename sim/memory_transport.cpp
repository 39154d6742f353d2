#include "sim/transport.h"

namespace anybit {
namespace {

/// One buffer a worker for what goes down: a frame is written where the one before it was.
class MemoryTransport final : public Transport {
 public:
  explicit MemoryTransport(int workers) : Transport(workers), frames_(static_cast<std::size_t>(workers)) {}

  void carry_task(int worker, const CohortTask& sent, const TaskReceiver& receiver, Message& received) override {
    Bytes& head = empty_frame(worker);
    append_frame_head(sent, receiver, head);
    const FramePieces frame{head, *sent.parameters, sent.parameters_crc};
    line(worker).down += frame.size();
    require(decode_frame(frame, FrameLimits{}.body, received));
  }

  void carry_update(int worker, const UpdateMessage& sent, ReceivedUpdate& received) override {
    received.frame.clear();
    append_frame(sent, received.frame);
    line(worker).up += received.frame.size();
    require(decode_frame(received.frame, FrameLimits{}.body, received.message));
    received.frame_crc = frame_crc(received.frame);
  }

  void carry_answer(int worker, const Message& sent) override {
    Bytes& frame = empty_frame(worker);
    append_frame(sent, frame);
    line(worker).down += frame.size();
  }

 private:
  static void require(const std::string& reason) {
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
