// The simulator's own little network: one server thread that drives Sessions, and a connection for each worker, which
// plays whatever client the worker plays. Start at TcpTransport.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "client/connection.h"
#include "nn/kernel_set.h"
#include "server/sessions.h"
#include "sim/transport.h"

namespace anybit {
namespace {

/// For every wait: a run may be stopped for a night, and an evaluation between two rounds may take long. That a line
/// has died is heard at once, without a deadline.
constexpr std::chrono::hours kPatience{24 * 365};
constexpr std::chrono::milliseconds kPoll{100};

SessionSettings settings_of(const Federation& federation) {
  SessionSettings settings;
  settings.welcome.run = federation.run;  // both ends are this process: no scenario needs to be sent
  settings.clients = federation.scenario.data.clients;
  settings.hello = settings.frame = settings.silence = kPatience;
  return settings;
}

[[noreturn]] void fail(const std::string& reason) {
  throw TransportError("transport tcp: " + reason + "; go on with --resume");
}

void require(const std::string& failure) {
  if (!failure.empty()) fail(failure);
}

/// What the server thread leaves for the workers: who joined, and the update or the loss of each connection.
class Mailbox final : public SessionListener {
 public:
  struct Line {
    ConnectionId connection = 0;
    ReceivedUpdate update;
    std::size_t bytes = 0;
    bool arrived = false;
    std::string lost;
  };

  explicit Mailbox(int workers) : lines_(static_cast<std::size_t>(workers)) {}

  void joined(ConnectionId connection, const Hello&) override {
    const std::lock_guard lock(mutex_);
    for (Line& line : lines_) {
      if (line.connection != 0) continue;
      line.connection = connection;
      break;
    }
    changed_.notify_all();
  }

  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
               Bytes& storage) override {
    const std::lock_guard lock(mutex_);
    for (Line& line : lines_) {
      if (line.connection != connection) continue;
      std::swap(line.update.message, message);
      std::swap(line.update.frame, storage);
      line.update.frame_crc = frame_crc(frame);
      line.bytes = frame.size();
      line.arrived = true;
    }
    changed_.notify_all();
  }

  void lost(ConnectionId connection, ClientRange, const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    for (Line& line : lines_)
      if (line.connection == connection) line.lost = reason;
    changed_.notify_all();
  }

  /// Waits until the worker's connection has joined; 0 where it does not.
  ConnectionId wait_for_connection(int worker) {
    std::unique_lock lock(mutex_);
    const Line& line = lines_[static_cast<std::size_t>(worker)];
    changed_.wait_for(lock, kPatience, [&] { return line.connection != 0; });
    return line.connection;
  }

  /// Waits for the worker's update, swaps it into `received` and says how long its frame was.
  std::string take_update(int worker, ReceivedUpdate& received, std::size_t& bytes) {
    std::unique_lock lock(mutex_);
    Line& line = lines_[static_cast<std::size_t>(worker)];
    if (!changed_.wait_for(lock, kPatience, [&] { return line.arrived || !line.lost.empty(); }))
      return "the update did not arrive in time";
    if (!line.arrived) return line.lost;
    line.arrived = false;
    std::swap(received, line.update);
    bytes = line.bytes;
    return {};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Line> lines_;
};

class TcpTransport final : public Transport {
 public:
  TcpTransport(const Federation& federation, int workers)
      : Transport(workers), mailbox_(workers), sessions_(settings_of(federation), mailbox_) {
    server_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) sessions_.poll(kPoll);
    });
    for (int worker = 0; worker < workers; ++worker) connect(federation, worker);
  }

  ~TcpTransport() override {
    server_.request_stop();
    sessions_.post([] {});  // wakes it
  }

  void carry_task(int worker, const CohortTask& sent, const TaskReceiver& receiver, Message& received) override {
    auto head = std::make_shared<Bytes>();
    append_frame_head(sent, receiver, *head);
    send(worker, std::move(head), sent.parameters);
    // What became of the client's last update comes first.
    do {
      require(client(worker).receive(received, kPatience));
    } while (std::holds_alternative<Acknowledge>(received) || std::holds_alternative<Reject>(received));
    if (const auto* goodbye = std::get_if<Goodbye>(&received)) fail("the server said goodbye: " + goodbye->reason);
    if (!std::holds_alternative<TaskMessage>(received)) fail("another message than a task");
  }

  void carry_update(int worker, const UpdateMessage& sent, ReceivedUpdate& received) override {
    Bytes frame;
    append_frame(sent, frame);
    require(client(worker).send(frame, kPatience));
    std::size_t bytes = 0;
    require(mailbox_.take_update(worker, received, bytes));
    line(worker).up += bytes;
  }

  void carry_answer(int worker, const Message& sent) override {
    send(worker, std::make_shared<Bytes>(encode_frame(sent)));
  }

 private:
  /// One after the other, so that the connection that joins is this worker's.
  void connect(const Federation& federation, int worker) {
    connections_.push_back(std::make_unique<Connection>());
    std::string reason = client(worker).connect("127.0.0.1", sessions_.port(), kPatience);
    Welcome welcome;
    const Hello hello{.client = 0, .clients = federation.scenario.data.clients, .kernel_set = kernel_set()};
    if (reason.empty()) reason = client(worker).greet(hello, welcome, kPatience);
    if (reason.empty() && mailbox_.wait_for_connection(worker) == 0) reason = "the server does not answer";
    if (!reason.empty()) fail("cannot connect on loopback: " + reason);
  }

  Connection& client(int worker) { return *connections_[static_cast<std::size_t>(worker)]; }

  void send(int worker, std::shared_ptr<const Bytes> frame, std::shared_ptr<const Bytes> bulk = nullptr) {
    line(worker).down += frame->size() + (bulk ? bulk->size() : 0);
    const ConnectionId connection = mailbox_.wait_for_connection(worker);
    // That a connection is gone shows where its client reads or its update is awaited.
    sessions_.post([this, connection, frame = std::move(frame), bulk = std::move(bulk)] {
      (void)sessions_.send(connection, frame, bulk);
    });
  }

  Mailbox mailbox_;
  Sessions sessions_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::jthread server_;  // last: it stops before anything that it uses goes
};

}  // namespace

std::unique_ptr<Transport> make_tcp_transport(const Federation& federation, int workers) {
  return std::make_unique<TcpTransport>(federation, workers);
}

}  // namespace anybit
