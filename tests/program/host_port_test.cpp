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
    EXPECT_EQ(split_host_port(wrong, host, port), "the port is none") << wrong;
}

}  // namespace
}  // namespace anybit
