// Start at accept(); a Visit is one connection: read, answer, wait for the peer to close.
#include "server/metrics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

std::string answer(std::string_view status, std::string_view type, std::string_view body, bool with_body = true) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n{}\r\n"
      "{}",
      status, type, body.size(), status.starts_with("405") ? "Allow: GET, HEAD\r\n" : "", with_body ? body : "");
}

std::string bad_request(std::string_view why) {
  return answer("400 Bad Request", kPlain, fmt::format("bad request: {}\n", why));
}

bool is_word_letter(char letter) {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
         letter == '-' || letter == '_';
}

/// Why this is no header line; empty where it is one.
std::string_view flaw_of_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "a header line has no name";
  if (!std::ranges::all_of(line.substr(0, colon), is_word_letter)) return "a header's name is none";
  const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < ' ' && letter != '\t'; };
  return std::ranges::any_of(line, is_control) ? "a header line holds a control character" : "";
}

struct RequestLine {
  std::string_view method = {};
  std::string_view path = {};
  std::string_view flaw = {};  // empty: none
};

RequestLine read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return {.flaw = "the first line is no request"};
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return {.flaw = "it is not HTTP/1.1"};
  if (method.empty() || !std::ranges::all_of(method, is_word_letter)) return {.flaw = "the method is none"};
  const auto is_visible = [](char letter) { return letter > ' ' && letter <= '~'; };
  if (!target.starts_with('/') || !std::ranges::all_of(target, is_visible)) return {.flaw = "the path is none"};
  return {method, target.substr(0, target.find('?')), ""};
}

}  // namespace

std::string http_answer(std::string_view head, const std::function<std::string()>& text) {
  constexpr std::string_view kLineEnd = "\r\n";
  const RequestLine request = read_request_line(head.substr(0, head.find(kLineEnd)));
  if (!request.flaw.empty()) return bad_request(request.flaw);
  for (std::size_t end = head.find(kLineEnd); end != std::string_view::npos;) {
    head.remove_prefix(end + kLineEnd.size());
    end = head.find(kLineEnd);
    const std::string_view flaw = flaw_of_header(head.substr(0, end));
    if (!flaw.empty()) return bad_request(flaw);
  }
  if (request.method != "GET" && request.method != "HEAD")
    return answer("405 Method Not Allowed", kPlain, "only GET and HEAD\n");
  const bool with_body = request.method == "GET";
  if (request.path != "/metrics") return answer("404 Not Found", kPlain, "the page is /metrics\n", with_body);
  return answer("200 OK", kPrometheus, text(), with_body);
}

namespace {

/// One connection. What it waits for keeps it alive until the socket has let go of its buffers.
class Visit : public std::enable_shared_from_this<Visit> {
 public:
  Visit(tcp::socket socket, const MetricsPageSettings& settings, const std::function<std::string()>& text)
      : text_(text), socket_(std::move(socket)), deadline_(Clock::now() + settings.patience) {
    request_.resize(settings.request_bytes);
  }

  void read() {
    socket_.async_read_some(asio::buffer(request_.data() + received_, request_.size() - received_),
                            [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                              self->did_read(error, bytes);
                            });
  }

  bool is_over(Clock::time_point now) const { return !socket_.is_open() || now >= deadline_; }
  void close() {
    asio::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void did_read(const asio::error_code& error, std::size_t bytes) {
    if (error) return close();
    received_ += bytes;
    const std::string_view so_far(request_.data(), received_);
    const std::size_t end = so_far.find(kEmptyLine);
    if (end != std::string_view::npos) {
      write(http_answer(so_far.substr(0, end), text_));
    } else if (received_ == request_.size()) {
      write(bad_request("it is too long"));
    } else {
      read();
    }
  }

  void write(std::string answer) {
    answer_ = std::move(answer);
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                        if (error) return self->close();
                        asio::error_code ignored;
                        self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
                        self->drain();
                      });
  }

  /// Reads and forgets until the peer closes: closing with bytes unread would destroy the answer on its way.
  void drain() {
    socket_.async_read_some(asio::buffer(request_),
                            [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                              if (error) return self->close();
                              self->drain();
                            });
  }

  const std::function<std::string()>& text_;
  tcp::socket socket_;
  const Clock::time_point deadline_;
  std::vector<char> request_;
  std::size_t received_ = 0;
  std::string answer_;
};

}  // namespace

struct MetricsPage::State {
  State(const MetricsPageSettings& the_settings, std::function<std::string()> the_text)
      : settings(the_settings), text(std::move(the_text)) {
    try {
      const tcp::endpoint endpoint(asio::ip::make_address(settings.address), settings.port);
      acceptor.open(endpoint.protocol());
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      acceptor.bind(endpoint);
      acceptor.listen();
      acceptor.non_blocking(true);
    } catch (const std::system_error& error) {
      throw std::runtime_error(
          fmt::format("cannot listen on {}:{}: {}; choose another address or port (--metrics)", settings.address,
                      settings.port, error.what()));
    }
  }

  /// Too few descriptors, say: the next poll() tries again.
  void accept() {
    while (visits.size() < settings.connections) {
      asio::error_code error;
      tcp::socket socket = acceptor.accept(error);
      if (error) return;
      visits.push_back(std::make_shared<Visit>(std::move(socket), settings, text));
      visits.back()->read();
    }
  }

  void end_those_over() {
    const Clock::time_point now = Clock::now();
    std::erase_if(visits, [&](const std::shared_ptr<Visit>& visit) {
      const bool over = visit->is_over(now);
      if (over) visit->close();
      return over;
    });
  }

  const MetricsPageSettings settings;
  const std::function<std::string()> text;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  std::vector<std::shared_ptr<Visit>> visits;
};

MetricsPage::MetricsPage(const MetricsPageSettings& settings, std::function<std::string()> text)
    : state_(std::make_unique<State>(settings, std::move(text))) {}

MetricsPage::~MetricsPage() = default;

std::uint16_t MetricsPage::port() const { return state_->acceptor.local_endpoint().port(); }

void MetricsPage::poll() {
  State& state = *state_;
  state.end_those_over();
  state.accept();
  state.io.restart();
  for (std::size_t step = 0; step < state.settings.steps && state.io.poll_one() > 0; ++step) {}
}

std::size_t MetricsPage::open() const { return state_->visits.size(); }

}  // namespace anybit
