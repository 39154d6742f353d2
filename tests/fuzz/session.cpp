// Two sessions of one server without sockets: each step that the fuzzer makes up is a frame, a piece of one, bytes that
// are none, time, the end of a write, the end of a line, or something that the server says. A byte says which, and to
// which session. Start at Play::step().
#include "server/session.h"

#include <map>
#include <set>

#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/require.h"
#include "tests/wire/samples.h"

using namespace anybit;

namespace {

constexpr int kSteps = 100;
constexpr std::size_t kLargeBody = 70000;  // has to wait for its turn

/// A session's line as its other end sees it.
struct Line {
  ByteStream::Done handshake, read, write;
  std::span<std::uint8_t> into;  // of the read under way
  Bytes unread;                  // sent, and not read yet
  bool closed = false;
};

/// A stream whose operations end when the play says so.
class FuzzStream final : public ByteStream {
 public:
  explicit FuzzStream(std::shared_ptr<Line> line) : line_(std::move(line)) {}

  void handshake(Done done) override { begin(line_->handshake, std::move(done)); }
  void read_some(std::span<std::uint8_t> into, Done done) override {
    require(!into.empty(), "a read has room");
    begin(line_->read, std::move(done));
    line_->into = into;
  }
  void write(const Pieces&, Done done) override { begin(line_->write, std::move(done)); }
  void shutdown() override { require(line_->write == nullptr, "nothing is written while the line is shut down"); }
  void cancel() override {}
  void close() override { line_->closed = true; }
  const PeerIdentity* peer() const override { return nullptr; }

 private:
  void begin(Done& operation, Done done) {
    require(operation == nullptr, "one operation of a kind at a time");
    operation = std::move(done);
  }

  std::shared_ptr<Line> line_;
};

class Listener final : public SessionListener {
 public:
  void joined(ConnectionId connection, const Hello&) override {
    require(here_.insert(connection).second, "a connection joins once");
  }
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
               Bytes& storage) override {
    require(here_.contains(connection), "who has not joined says nothing");
    require(frame.data() == storage.data(), "a frame lies in its storage");
    if (!std::holds_alternative<UpdateMessage>(message) || frame.size() % 2 == 0) return;
    std::swap(message_, message);  // keeps it
    std::swap(storage_, storage);
  }
  void lost(ConnectionId connection, ClientRange clients, const std::string& reason) override {
    require(here_.erase(connection) == 1, "only who has joined is lost, once");
    require(clients.count > 0 && !reason.empty(), "a loss has clients and a reason");
  }

 private:
  std::set<ConnectionId> here_;
  Message message_;
  Bytes storage_;
};

SessionSettings settings() {
  SessionSettings made;
  made.clients = 4;
  made.limits.body = 2 * kLargeBody;
  made.staged_uploads = 1;
  made.queued_bytes = 5000;
  made.welcome.heartbeat_milliseconds = 1000;
  return made;
}

class Play {
 public:
  explicit Play(FuzzBytes input) : input_(input) {
    open();
    open();
  }

  void run() {
    for (int i = 0; i < kSteps && !input_.empty(); ++i) step();
    for (const ConnectionId id : ids()) end_line(id);
    for (int deadline = 0; deadline < 4; ++deadline) {  // of a frame, of a farewell, and of who got a turn by them
      while (settle()) {}
      now_ += std::chrono::hours(2);
      check_deadlines();
    }
    while (settle()) {}
    require(sessions_.empty(), "sessions whose lines have ended are gone");
    require(shared_.staged == 0, "turns come back");
  }

 private:
  void open() {
    const ConnectionId id = ++last_;
    auto line = std::make_shared<Line>();
    lines_[id] = line;
    sessions_[id] = std::make_shared<Session>(shared_, id, "test", std::make_unique<FuzzStream>(line));
    sessions_[id]->start();
    while (settle()) {}
  }

  std::vector<ConnectionId> ids() const {
    std::vector<ConnectionId> all;
    for (const auto& [id, session] : sessions_) all.push_back(id);
    return all;
  }

  void step() {
    while (sessions_.size() < 2) open();
    const std::uint8_t what = input_.byte();
    const auto id = ids()[what & 1U];
    const std::shared_ptr<Session> session = sessions_.at(id);
    switch (what / 2 % 10) {
      case 0: send(id, any_frame()); break;
      case 1: send(id, encode_frame(Hello{.client = input_.byte() % 5U, .clients = 1U + input_.byte() % 4U})); break;
      case 2: send(id, input_.take(input_.byte())); break;
      case 3: send(id, large_frame(input_.byte())); break;
      case 4: send(id, Bytes(std::size_t{300} * input_.byte(), 7)); break;
      case 5: write_ends(id); break;
      case 6:
        now_ += std::chrono::milliseconds(100) * input_.byte();
        check_deadlines();
        break;
      case 7: end_line(id); break;
      case 8:
        if (session->joined()) session->send({std::make_shared<const Bytes>(input_.byte() * std::size_t{10}, 1)});
        break;
      case 9: session->end({"enough"}, input_.byte() % 2 == 0); break;
    }
    while (settle()) {}
    require(shared_.staged <= shared_.settings.staged_uploads, "there are so many turns and no more");
  }

  Bytes any_frame() {
    const std::uint8_t kind = input_.byte();
    return frame_of(kind, bytes_of(input_.take(input_.byte())));
  }

  /// The first part of an update that has to wait for its turn.
  static Bytes large_frame(std::uint8_t part) {
    static const Bytes whole = [] {
      UpdateMessage update = sample_update();
      update.id.client = 1;
      const Bytes delta(kLargeBody, 7);
      update.delta = delta;
      return encode_frame(update);
    }();
    return bytes_of(std::span(whole).first(part == 255 ? whole.size() : std::size_t{250} * part));
  }

  void send(ConnectionId id, std::span<const std::uint8_t> bytes) {
    Bytes& unread = lines_.at(id)->unread;
    if (unread.size() < 4 * kLargeBody) unread.insert(unread.end(), bytes.begin(), bytes.end());
  }

  void write_ends(ConnectionId id) {
    if (auto done = std::exchange(lines_.at(id)->write, nullptr)) done({}, 0);
  }

  void check_deadlines() {
    const std::map<ConnectionId, std::shared_ptr<Session>> all = sessions_;  // a copy: ending one changes the map
    for (const auto& [id, session] : all) session->check_deadlines(now_);
  }

  void end_line(ConnectionId id) {
    Line& line = *lines_.at(id);
    line.unread.clear();
    for (auto* operation : {&line.handshake, &line.read, &line.write})
      if (auto done = std::exchange(*operation, nullptr)) done(std::make_error_code(std::errc::connection_reset), 0);
  }

  /// Does what the sessions have asked for, as an io_context would. False where there is nothing to do.
  bool settle() {
    if (!posted_.empty()) {
      const std::function<void()> work = std::move(posted_.front());
      posted_.pop_front();
      work();
      return true;
    }
    for (auto& [id, line] : lines_)
      if (settle(*line)) return true;
    std::erase_if(lines_,
                  [&](const auto& entry) { return !sessions_.contains(entry.first) && is_idle(*entry.second); });
    return false;
  }

  static bool is_idle(const Line& line) { return !line.handshake && !line.read && !line.write; }

  static bool settle(Line& line) {
    if (line.closed && !is_idle(line)) {
      for (auto* operation : {&line.handshake, &line.read, &line.write})
        if (auto done = std::exchange(*operation, nullptr))
          done(std::make_error_code(std::errc::operation_canceled), 0);
      return true;
    }
    if (auto done = std::exchange(line.handshake, nullptr)) {
      done({}, 0);
      return true;
    }
    if (!line.read || line.unread.empty()) return false;
    const std::size_t count = std::min(line.into.size(), line.unread.size());
    std::copy_n(line.unread.begin(), count, line.into.begin());
    line.unread.erase(line.unread.begin(), line.unread.begin() + static_cast<std::ptrdiff_t>(count));
    std::exchange(line.read, nullptr)({}, count);
    return true;
  }

  FuzzBytes input_;
  Listener listener_;
  std::deque<std::function<void()>> posted_;
  std::map<ConnectionId, std::shared_ptr<Line>> lines_;
  std::map<ConnectionId, std::shared_ptr<Session>> sessions_;
  SharedBySessions shared_{.settings = settings(),
                           .listener = listener_,
                           .post = [this](std::function<void()> work) { posted_.push_back(std::move(work)); },
                           .gone = [this](ConnectionId id) { sessions_.erase(id); }};
  ConnectionId last_ = 0;
  Session::Clock::time_point now_ = Session::Clock::now();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Play(FuzzBytes(data, size)).run();
  return 0;
}
