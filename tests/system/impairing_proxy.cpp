// Start at ImpairingProxy::run(). A Link is one connection: two Ways, each with the bytes that it holds back.
#include "tests/system/impairing_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <stdexcept>
#include <vector>

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kKindAt = 6;
constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kPiece = 16384;
constexpr int kTick = 2;  // milliseconds

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Finds a place in a stream of frames that is seen piece by piece.
class PlaceFinder {
 public:
  explicit PlaceFinder(const FramePlace& place) : place_(place) {}

  /// How many of these bytes lie before the place; all of them where it is not among them.
  std::size_t before(const std::vector<std::uint8_t>& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (is_here()) return i;
      step(bytes[i]);
    }
    return bytes.size();
  }
  bool is_here() const {
    const int kind = at_ > kKindAt ? header_[kKindAt] : 0;
    return place_.at <= kKindAt ? at_ == place_.at && frames_ == (place_.kind == 1 ? 0 : 1)
                                : kind == place_.kind && at_ == place_.at;
  }

 private:
  void step(std::uint8_t byte) {
    if (at_ < kHeaderBytes) header_[at_] = byte;
    if (++at_ < kHeaderBytes) return;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::size_t>(header_[kLengthAt + i]) << (8 * i);
    if (at_ < kHeaderBytes + length) return;
    at_ = 0;
    ++frames_;
  }

  FramePlace place_;
  std::array<std::uint8_t, kHeaderBytes> header_ = {};
  std::size_t at_ = 0;  // of the frame
  int frames_ = 0;
};

/// One direction of a connection.
class Way {
 public:
  Way(int from, int to, const Impairment& how, bool of_server) : from_(from), to_(to), how_(how) {
    if (how.cut && how.cut->of_server == of_server) cut_.emplace(*how.cut);
    if (how.stall && how.stall->of_server == of_server) stall_.emplace(*how.stall);
  }

  /// Passes on what is due. False where the connection is over.
  bool pass(bool readable) {
    const Clock::time_point now = Clock::now();
    if (readable && !read(now)) ended_ = true;
    while (!held_.empty() && held_.front().due <= now) {
      if (!write(held_.front().bytes, now)) return false;
      if (!held_.front().bytes.empty()) return true;  // stalled
      held_.pop_front();
    }
    return !(ended_ && held_.empty());
  }
  int from() const { return from_; }

 private:
  struct Held {
    Clock::time_point due;
    std::vector<std::uint8_t> bytes;
  };

  bool read(Clock::time_point now) {
    std::vector<std::uint8_t> bytes(kPiece);
    const ssize_t got = ::recv(from_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    bytes.resize(static_cast<std::size_t>(got));
    held_.push_back({now + how_.delay, std::move(bytes)});
    return true;
  }

  /// Removes what it has written. False where the connection is cut or the other side is gone.
  bool write(std::vector<std::uint8_t>& bytes, Clock::time_point now) {
    if (stalled_until_ > now) return true;
    std::size_t count = bytes.size();
    if (stall_) {
      count = stall_->before(bytes);
      if (stall_->is_here()) {
        stalled_until_ = now + how_.stall_time;
        stall_.reset();
      }
    }
    bool cut = false;
    if (cut_) {
      count = cut_->before(bytes);
      cut = cut_->is_here();
    }
    for (std::size_t at = 0; at < count;) {
      const ssize_t sent = ::send(to_, bytes.data() + at, count - at, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += static_cast<std::size_t>(sent);
    }
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    return !cut;
  }

  int from_;
  int to_;
  Impairment how_;
  std::optional<PlaceFinder> cut_;
  std::optional<PlaceFinder> stall_;
  Clock::time_point stalled_until_{};
  std::deque<Held> held_;
  bool ended_ = false;
};

}  // namespace

class ImpairingProxy::Link {
 public:
  Link(int client, int server, const Impairment& how)
      : client_(client),
        server_(server),
        reset_(how.reset),
        up_(client, server, how, false),
        down_(server, client, how, true) {}
  ~Link() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (const int end : {client_, server_}) {
      if (reset_) ::setsockopt(end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(end);
    }
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  std::array<int, 2> ends() const { return {client_, server_}; }
  bool pass(bool client_readable, bool server_readable) {
    const bool up = up_.pass(client_readable);
    return down_.pass(server_readable) && up;
  }

 private:
  int client_;
  int server_;
  bool reset_;
  Way up_;
  Way down_;
};

ImpairingProxy::ImpairingProxy(int server_port, Plan plan) : server_port_(server_port), plan_(std::move(plan)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the proxy cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ImpairingProxy::~ImpairingProxy() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void ImpairingProxy::run() {
  while (!stop_) {
    std::vector<pollfd> waited = {{listener_, POLLIN, 0}};
    for (const auto& link : links_)
      for (const int end : link->ends()) waited.push_back({end, POLLIN, 0});
    ::poll(waited.data(), waited.size(), kTick);
    std::size_t at = 1;
    std::vector<std::unique_ptr<Link>> open;
    for (auto& link : links_) {
      const bool goes_on = link->pass(waited[at].revents != 0, waited[at + 1].revents != 0);
      if (goes_on) open.push_back(std::move(link));
      at += 2;
    }
    links_ = std::move(open);
    if (waited[0].revents != 0) accept();
  }
}

// Programs that a test starts later must not hold on to these: a connection ends with its last holder.
void ImpairingProxy::accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(server_port_);
  const bool there = client >= 0 && ::connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if (there) {
    links_.push_back(std::make_unique<Link>(client, server, plan_(connections_)));
    ++connections_;
    return;
  }
  ::close(client);
  ::close(server);
}

}  // namespace anybit
