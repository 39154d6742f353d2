#include "program/host_port.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(HostPort, IsSplitAtTheLastColon) {
  std::string host;
  std::uint16_t port = 0;
  EXPECT_EQ(split_host_port("server.lan:7700", host, port), "");
  EXPECT_EQ(host, "server.lan");
  EXPECT_EQ(port, 7700);
  EXPECT_EQ(split_host_port("[fe80::1]:80", host, port), "");
  EXPECT_EQ(host, "fe80::1");
  EXPECT_EQ(split_host_port(":0", host, port), "");
  EXPECT_EQ(host, "");
}

TEST(HostPort, SaysWhatIsMissing) {
  std::string host;
  std::uint16_t port = 0;
  EXPECT_EQ(split_host_port("server.lan", host, port), "has no port");
  for (const char* wrong : {"a:", "a:x", "a:65536", "a:-1", "a:7x"})
    EXPECT_EQ(split_host_port(wrong, host, port), "the port must be a number up to 65535") << wrong;
}

TEST(HostPort, LoopbackIsANumberOrLocalhostAndNoNameThatLooksLikeOne) {
  for (const char* here : {"127.0.0.1", "127.200.0.9", "::1", "localhost"}) EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* away : {"127.example.org", "127.", "127.1", "127.0.0.1.example.org", "128.0.0.1", "0.0.0.0",
                           "::", "fe80::1", "localhost.example.org", ""})
    EXPECT_FALSE(is_loopback(away)) << away;
  for (const char* number : {"127.0.0.1", "0.0.0.0", "::", "fe80::1"}) EXPECT_TRUE(is_address(number)) << number;
  for (const char* name : {"localhost", "127.example.org", "1.2.3", "[::1]", ""})
    EXPECT_FALSE(is_address(name)) << name;
}

}  // namespace
}  // namespace anybit
