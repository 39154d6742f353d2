#include "client/client_options.h"

#include <gtest/gtest.h>

#include "program/exit_code.h"

namespace anybit {
namespace {

/// What is wrong with a text, in the words of its reader; "" where nothing is.
template <class Read>
std::string complaint(const Read& read, const std::string& text) {
  try {
    (void)read(text);
  } catch (const CommandError& error) {
    return error.what();
  }
  return "";
}

TEST(ClientOptions, ReadsWhereTheServerIs) {
  const ServerAddress lan = parse_connect("server.lan:7700");
  EXPECT_EQ(lan.host, "server.lan");
  EXPECT_EQ(lan.port, 7700);
  EXPECT_FALSE(lan.is_loopback);
  EXPECT_EQ(parse_connect("[fe80::1]:80").host, "fe80::1");
  for (const char* near : {"127.0.0.1:1", "localhost:65535", "[::1]:7700"})
    EXPECT_TRUE(parse_connect(near).is_loopback) << near;
  for (const char* away : {"127.example.org:7700", "127.1:7700", "10.0.0.1:1"})
    EXPECT_FALSE(parse_connect(away).is_loopback) << away;
  EXPECT_NE(complaint(parse_connect, ":7700").find("has no host"), std::string::npos);
  EXPECT_NE(complaint(parse_connect, "server.lan:0").find("the port must be 1 to 65535"), std::string::npos);
  for (const char* wrong : {"server.lan", ":7700", "server.lan:", "server.lan:0", "server.lan:65536", "a:b"})
    EXPECT_NE(complaint(parse_connect, wrong).find("write HOST:PORT"), std::string::npos) << wrong;
}

TEST(ClientOptions, ReadsAmountsOfMemory) {
  EXPECT_EQ(parse_bytes(""), 0);
  EXPECT_EQ(parse_bytes("1000"), 1000);
  EXPECT_EQ(parse_bytes("512MB"), 512e6);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1.5 * 1024 * 1024 * 1024);
  for (const char* wrong : {"much", "-5MB", "0", "5 MB", "5mb", "inf", "nan", "1e300", "1e10GB"})
    EXPECT_NE(complaint(parse_bytes, wrong).find("as in 512MB"), std::string::npos) << wrong;
}

TEST(ClientOptions, WidthsAreThoseThatThereAre) {
  const auto complaint_of = [](const std::vector<int>& widths) {
    return complaint([&](const std::string&) { check_widths(widths); }, "");
  };
  EXPECT_EQ(complaint_of({}), "");
  EXPECT_EQ(complaint_of({2, 16, 32}), "");
  for (const int wrong : {-4, 0, 1, 17, 31, 33, 256 + 8})
    EXPECT_EQ(complaint_of({8, wrong}),
              "--widths: " + std::to_string(wrong) + " is no width; there are 2 to 16, and 32");
  EXPECT_EQ(complaint_of({8, 4, 8}), "--widths: 8 is there twice");
}

TEST(ClientOptions, ReadsShards) {
  const Shard shard = parse_shard("2/4");
  EXPECT_EQ(shard.client, 2U);
  EXPECT_EQ(shard.clients, 4U);
  EXPECT_EQ(complaint(parse_shard, "4/4"), "--shard 4/4: clients are counted from 0, so the last one of 4 is 3/4");
  for (const char* wrong : {"2", "2/", "/4", "a/b", "0/0", "-1/4", "2/4/"})
    EXPECT_NE(complaint(parse_shard, wrong).find("write K/N"), std::string::npos) << wrong;
}

TEST(ClientOptions, ReadsWhereDataLies) {
  EXPECT_EQ(parse_data_place("idx:/data/mine").format, "idx");
  EXPECT_EQ(parse_data_place("idx:/data/mine").folder, "/data/mine");
  EXPECT_EQ(parse_data_place("/data").format, "");
  EXPECT_NE(complaint(parse_data_place, "csv:/data").find("unknown format 'csv'"), std::string::npos);
}

}  // namespace
}  // namespace anybit
