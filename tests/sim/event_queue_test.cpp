#include "sim/event_queue.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

DueAnswer due(double time, std::uint32_t client) {
  DueAnswer made;
  made.time = time;
  made.client = client;
  return made;
}

std::vector<std::uint32_t> drain(EventQueue& queue) {
  std::vector<std::uint32_t> clients;
  for (; !queue.empty(); queue.pop()) clients.push_back(queue.front().client);
  return clients;
}

TEST(EventQueue, OrdersByTimeThenClient) {
  EventQueue queue;
  for (const auto& [time, client] : {std::pair{1.0, 5U}, {0.0, 9U}, {1.0, 2U}, {0.0, 3U}, {2.0, 1U}})
    queue.push(due(time, client));
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{3, 9, 2, 5, 1}));
}

TEST(EventQueue, TakesNewAnswersBetweenOldOnes) {
  EventQueue queue;
  queue.push(due(0, 1));
  queue.push(due(2, 1));
  queue.pop();
  queue.push(due(1, 7));
  queue.push(due(0.5, 8));
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{8, 7, 1}));
}

TEST(EventQueue, NamesTheNextUnplayed) {
  EventQueue queue;
  for (std::uint32_t client = 0; client < 5; ++client) queue.push(due(0, client));
  queue.pop();
  queue.front().played = true;
  std::vector<DueAnswer*> wave;
  queue.next_unplayed(2, wave);
  ASSERT_EQ(wave.size(), 2U);
  EXPECT_EQ(wave[0]->client, 2U);
  EXPECT_EQ(wave[1]->client, 3U);
}

}  // namespace
}  // namespace anybit
