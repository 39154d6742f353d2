#include "server/server_options.h"

#include <gtest/gtest.h>

#include "program/exit_code.h"

namespace anybit {
namespace {

TEST(ServerOptions, ReadWhereToListen) {
  const ListenAddress all = parse_listen("0.0.0.0:7700");
  EXPECT_EQ(all.address, "0.0.0.0");
  EXPECT_EQ(all.port, 7700);
  EXPECT_FALSE(all.is_loopback);
  EXPECT_FALSE(parse_listen("[::]:1").is_loopback);
  for (const char* near : {"127.0.0.1:0", "127.9.8.7:1", "localhost:1", "[::1]:1"})
    EXPECT_TRUE(parse_listen(near).is_loopback) << near;
  EXPECT_EQ(parse_listen("[::1]:1").address, "::1");
}

TEST(ServerOptions, RefuseWhatIsNoAddress) {
  for (const char* wrong : {"", "7700", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "server.lan:7700",
                            "1.2.3:4", ":7700"}) {
    try {
      (void)parse_listen(wrong);
      ADD_FAILURE() << wrong;
    } catch (const CommandError& error) {
      EXPECT_NE(std::string(error.what()).find("write ADDRESS:PORT"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace anybit
