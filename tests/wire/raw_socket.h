#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>

#include "wire/message.h"

namespace anybit {

/// A plain loopback socket that sends what a test wants, rules or no rules. Waits at most five seconds for bytes.
class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in to = loopback(port);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot connect");
    limit_waiting();
  }
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), frame_(std::move(other.frame_)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  void send(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the other side has had enough
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }

  /// All bytes until the other side closes, or none come for five seconds.
  Bytes receive_all() {
    Bytes bytes(65536);
    std::size_t size = 0;
    for (ssize_t got = 1; got > 0; size += static_cast<std::size_t>(std::max<ssize_t>(got, 0))) {
      if (bytes.size() < size + 65536) bytes.resize(2 * bytes.size());
      got = ::recv(descriptor_, bytes.data() + size, bytes.size() - size, 0);
    }
    bytes.resize(size);
    return bytes;
  }

  /// Takes the bytes that are there, without waiting. False once the other side has closed.
  bool receive_some(Bytes& bytes) const {
    std::uint8_t some[4096];
    ssize_t got = 0;
    while ((got = ::recv(descriptor_, some, sizeof some, MSG_DONTWAIT)) > 0)
      bytes.insert(bytes.end(), some, some + got);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  /// The next whole frame's message, whose bulk is good until the next call; a Goodbye{"nothing"} where none comes.
  Message receive() {
    frame_.resize(kFrameHeaderBytes);
    std::size_t body = 0;
    Message message = Goodbye{"nothing"};
    if (!receive_into(frame_) || !check_header(frame_, FrameLimits{}.body, body).empty()) return message;
    frame_.resize(kFrameHeaderBytes + body);
    if (receive_into(std::span(frame_).subspan(kFrameHeaderBytes)))
      static_cast<void>(decode_frame(frame_, FrameLimits{}.body, message));
    return message;
  }

  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  /// Ends the connection as a crash of the machine's program would.
  void reset() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  friend class RawListener;
  struct Adopt {
    int descriptor;
  };
  explicit RawSocket(Adopt from) : descriptor_(from.descriptor) { limit_waiting(); }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void limit_waiting() const {
    const timeval longest = {.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  }
  bool receive_into(std::span<std::uint8_t> bytes) const {
    return ::recv(descriptor_, bytes.data(), bytes.size(), MSG_WAITALL) == static_cast<ssize_t>(bytes.size());
  }

  int descriptor_;
  Bytes frame_;  // received last
};

/// The other end, for tests of clients.
class RawListener {
 public:
  RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = RawSocket::loopback(0);
    socklen_t size = sizeof address;
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(descriptor_, 8) != 0 ||
        ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    const timeval longest = {.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener() { ::close(descriptor_); }

  std::uint16_t port() const { return port_; }
  /// Waits five seconds at most; the socket of nobody hears nothing.
  RawSocket accept() const { return RawSocket(RawSocket::Adopt{::accept(descriptor_, nullptr, nullptr)}); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace anybit
