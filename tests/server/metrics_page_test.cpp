// The page over HTTP, for peers that ask properly, slowly, wrongly or not at all.
#include "server/metrics_page.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/wire/allocations.h"
#include "tests/wire/raw_socket.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";

std::span<const std::uint8_t> characters_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A page whose text is "up 1\n", driven by the test.
class Page {
 public:
  explicit Page(const MetricsPageSettings& settings = {}) : page(settings, [this] { return ++asked, text; }) {}

  void poll_for(milliseconds time) {
    for (const auto end = Clock::now() + time; Clock::now() < end;) page.poll();
  }
  bool poll_until(const std::function<bool()>& holds) {
    for (const auto end = Clock::now() + milliseconds(5000); !holds() && Clock::now() < end;) page.poll();
    return holds();
  }
  RawSocket connect() const { return RawSocket(page.port()); }
  /// What a peer hears that sends this and then nothing.
  std::string answer(const std::string& request) {
    RawSocket peer = connect();
    peer.send(characters_of(request));
    return heard_by(peer);
  }
  /// What a peer hears until the page has closed.
  std::string heard_by(const RawSocket& peer) {
    Bytes bytes;
    EXPECT_TRUE(poll_until([&] { return !peer.receive_some(bytes); }));
    return {bytes.begin(), bytes.end()};
  }

  int asked = 0;  // for the text
  std::string text = "up 1\n";
  MetricsPage page;
};

std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

TEST(MetricsPage, AnswersAScraper) {
  Page page;
  EXPECT_EQ(page.answer(kGet),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 5\r\n"
            "Connection: close\r\nCache-Control: no-store\r\n\r\nup 1\n");
  EXPECT_TRUE(page.poll_until([&] { return page.page.open() == 0; }));
  EXPECT_EQ(page.asked, 1);
  EXPECT_TRUE(page.answer("GET /metrics?name=up HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nup 1\n"));
  const std::string head = page.answer("HEAD /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
  EXPECT_EQ(status_of(head), "HTTP/1.1 200 OK");
  EXPECT_TRUE(head.ends_with("no-store\r\n\r\n")) << head;
}

TEST(MetricsPage, OtherPathsAndMethodsAreNotThere) {
  Page page;
  for (const char* path : {"/", "/metric", "/metrics/", "/metrics/../metrics", "/%6detrics", "//metrics"})
    EXPECT_EQ(status_of(page.answer(std::string("GET ") + path + " HTTP/1.1\r\n\r\n")), "HTTP/1.1 404 Not Found")
        << path;
  for (const char* method : {"POST", "PUT", "DELETE", "get", "OPTIONS"})
    EXPECT_EQ(status_of(page.answer(method + kGet.substr(3))), "HTTP/1.1 405 Method Not Allowed") << method;
  EXPECT_EQ(page.asked, 0);
}

TEST(MetricsPage, WhatIsNoRequestIsTold) {
  Page page;
  for (const char* head : {"", "GET", "GET ", "GET /metrics", "GET  HTTP/1.1", "GET metrics HTTP/1.1",
                           "GET /metrics HTTP/2", "GET /metrics HTTP/1.1 ", "GET http://here/metrics HTTP/1.1",
                           "GET /met rics HTTP/1.1", "GET /metrics\tHTTP/1.1", "G(T /metrics HTTP/1.1",
                           "GET /metrics HTTP/1.1\r\nno name", "GET /metrics HTTP/1.1\r\n: none",
                           "GET /metrics HTTP/1.1\r\nHost : here", "GET /metrics HTTP/1.1\r\nHost: a\rb",
                           "GET /metrics HTTP/1.1\r\nHost: a\nGET /metrics HTTP/1.1", "\x16\x03\x01\x02"})
    EXPECT_EQ(status_of(page.answer(std::string(head) + "\r\n\r\n")), "HTTP/1.1 400 Bad Request") << head;
  EXPECT_EQ(status_of(page.answer(std::string("GET /\0 HTTP/1.1\r\n\r\n", 19))), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(page.asked, 0);
}

TEST(MetricsPage, ARequestMayComeByteByByteAndNotBeLong) {
  Page page;
  RawSocket peer = page.connect();
  for (const char letter : kGet) {
    peer.send(characters_of(std::string(1, letter)));
    page.page.poll();
  }
  EXPECT_EQ(status_of(page.heard_by(peer)), "HTTP/1.1 200 OK");
  const std::string start = kGet.substr(0, kGet.size() - 4) + "\r\nX: ";
  const std::size_t fill = MetricsPageSettings{}.request_bytes - start.size() - 4;
  EXPECT_EQ(status_of(page.answer(start + std::string(fill, 'x') + "\r\n\r\n")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_of(page.answer(start + std::string(fill + 1, 'x') + "\r\n\r\n")), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_of(page.answer(std::string(1 << 20, 'x'))), "HTTP/1.1 400 Bad Request");
}

TEST(MetricsPage, EachByteOfARequestMayBeAnyOther) {
  for (std::size_t at = 0; at < kGet.size() - 4; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string head = kGet.substr(0, kGet.size() - 4);
      head[at] = static_cast<char>(byte);
      const std::string answer = http_answer(head, [] { return "up 1\n"; });
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 ") && answer.find("\r\n\r\n") != std::string::npos) << at << " " << byte;
    }
  }
}

TEST(MetricsPage, SlowPeersEndAndOthersAreServed) {
  MetricsPageSettings settings;
  settings.patience = milliseconds(200);
  settings.connections = 3;
  Page page(settings);
  RawSocket silent = page.connect();
  RawSocket half = page.connect();
  half.send(characters_of(kGet.substr(0, 10)));
  RawSocket lingering = page.connect();
  lingering.send(characters_of(kGet));  // and does not close
  EXPECT_TRUE(page.poll_until([&] { return page.asked == 1 && page.page.open() == 3; }));
  RawSocket fourth = page.connect();
  fourth.send(characters_of(kGet));
  page.poll_for(milliseconds(20));
  EXPECT_EQ(page.page.open(), 3U);
  EXPECT_EQ(page.asked, 1);
  EXPECT_TRUE(page.poll_until([&] { return page.asked == 2; }));
  EXPECT_EQ(status_of(page.heard_by(fourth)), "HTTP/1.1 200 OK");
  EXPECT_EQ(page.heard_by(silent), "");
  fourth.close();
  EXPECT_TRUE(page.poll_until([&] { return page.page.open() == 0; }));
}

TEST(MetricsPage, APeerThatDoesNotReadEndsInTime) {
  MetricsPageSettings settings;
  settings.patience = milliseconds(200);
  Page page(settings);
  page.text = std::string(std::size_t{64} << 20, 'x');  // more than sockets hold
  RawSocket peer = page.connect();
  peer.send(characters_of(kGet));
  EXPECT_TRUE(page.poll_until([&] { return page.asked == 1; }));
  EXPECT_TRUE(page.poll_until([&] { return page.page.open() == 0; }));
}

TEST(MetricsPage, PeersThatVanishLeaveNothing) {
  Page page;
  for (std::size_t cut = 0; cut <= kGet.size(); ++cut) {
    RawSocket peer = page.connect();
    peer.send(characters_of(kGet.substr(0, cut)));
    page.page.poll();
    peer.reset();
  }
  EXPECT_TRUE(page.poll_until([&] { return page.page.open() == 0; }));
  EXPECT_EQ(status_of(page.answer(kGet)), "HTTP/1.1 200 OK");
}

TEST(MetricsPage, AFloodCostsNoMoreThanItsConnections) {
  Page page;
  std::vector<RawSocket> peers;
  for (int peer = 0; peer < 200; ++peer) peers.push_back(page.connect());
  AllocationWatch watch;
  EXPECT_TRUE(page.poll_until([&] { return page.page.open() == 8; }));
  page.poll_for(milliseconds(20));
  EXPECT_EQ(page.page.open(), 8U);
  EXPECT_LE(watch.largest(), MetricsPageSettings{}.request_bytes);
  EXPECT_LT(watch.calls(), 100U);
}

TEST(MetricsPage, AnAddressThatIsTakenIsTold) {
  const Page first;
  MetricsPageSettings settings;
  settings.port = first.page.port();
  try {
    const Page second(settings);
    FAIL() << "listens twice";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot listen on 127.0.0.1:"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace anybit
