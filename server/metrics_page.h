#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace anybit {

struct MetricsPageSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                    // 0: the system's choice
  std::size_t connections = 8;               // more wait in the system's queue until one ends
  std::size_t request_bytes = 4096;          // a longer request is a bad one
  std::chrono::milliseconds patience{5000};  // from accepting to the peer's having read its answer
  std::size_t steps = 64;                    // that one poll() makes at most, whatever the peers do
};

/// A page at http://ADDRESS:PORT/metrics, in plain HTTP/1.1: one request a connection, GET or HEAD. Another path gets
/// 404, another method 405, what is no request 400. Peers may send anything, as slowly as they like: nothing is held of
/// them beyond the settings.
///
/// Has no thread of its own: whoever drives it calls poll(), in which the text is asked for.
class MetricsPage {
 public:
  /// Listens at once. Throws std::runtime_error with address, port and reason.
  MetricsPage(const MetricsPageSettings& settings, std::function<std::string()> text);
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  std::uint16_t port() const;
  /// Does what can be done without waiting.
  void poll();
  /// Connections that are open.
  std::size_t open() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole answer to a request, of which `head` is all up to the empty line, without that. `text` is asked for where
/// it is wanted.
std::string http_answer(std::string_view head, const std::function<std::string()>& text);

}  // namespace anybit
