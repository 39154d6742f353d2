#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <limits>

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
  queue.push(due(0, 4));
  queue.push(due(2, 1));
  queue.pop();
  queue.push(due(1, 7));
  queue.push(due(0.5, 8));
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{8, 7, 1}));
}

std::shared_ptr<const CohortTask> task_of(std::uint32_t round) {
  return std::make_shared<const CohortTask>(TaskMessage{.id = {1, round, 0}}, std::make_shared<const Bytes>());
}

TEST(EventQueue, PutsTheOlderTaskFirstAtTheSameTime) {
  EventQueue queue;
  for (const auto& [round, client] : {std::pair{7U, 1U}, {5U, 9U}, {5U, 3U}}) {
    DueAnswer made = due(1, client);
    made.task = task_of(round);
    queue.push(std::move(made));
  }
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{3, 9, 1}));
}

TEST(EventQueue, TakesOutTheAnswerOfAClient) {
  EventQueue queue;
  for (std::uint32_t client = 0; client < 4; ++client) queue.push(due(client, client));
  const std::optional<DueAnswer> taken = queue.take(2);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->client, 2U);
  EXPECT_FALSE(queue.take(2));
  queue.push(due(0.5, 2));
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{0, 2, 1, 3}));
}

TEST(EventQueue, MovesAnAnswerWhoseTimeIsKnownNow) {
  EventQueue queue;
  for (std::uint32_t client = 0; client < 3; ++client) queue.push(due(client, client));
  DueAnswer& first = queue.front();
  queue.move(first, 1.5);
  EXPECT_EQ(first.time, 1.5) << "where it was in memory";
  EXPECT_EQ(queue.take(0)->client, 0U);
  queue.push(due(1.5, 0));
  EXPECT_EQ(drain(queue), (std::vector<std::uint32_t>{1, 0, 2}));
}

TEST(EventQueue, WakesBehindTheAnswersOfTheSameTime) {
  EventQueue queue;
  EXPECT_FALSE(queue.next_wake());
  queue.push(due(1, 5));
  queue.push(due(2, 6));
  queue.wake_at(0.5);
  queue.wake_at(1);
  EXPECT_FALSE(queue.next_wake()) << "the first was replaced, and the answer of its time comes before";
  queue.pop();
  EXPECT_EQ(queue.next_wake(), 1.0);
  queue.pop_wake();
  EXPECT_FALSE(queue.next_wake());
  queue.wake_at(3);
  queue.pop();
  EXPECT_EQ(queue.next_wake(), 3.0) << "nothing else is left";
  queue.wake_at(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(queue.next_wake()) << "the wish was taken back";
}

TEST(EventQueue, NamesTheUnplayedOfTheNext) {
  EventQueue queue;
  for (std::uint32_t client = 0; client < 6; ++client) queue.push(due(0, client));
  queue.pop();
  queue.front().played = true;
  std::vector<DueAnswer*> wave;
  queue.next_unplayed(3, wave);
  ASSERT_EQ(wave.size(), 2U) << "4 and 5 are further away than three";
  EXPECT_EQ(wave[0]->client, 2U);
  EXPECT_EQ(wave[1]->client, 3U);
  queue.next_unplayed(9, wave);
  EXPECT_EQ(wave.size(), 4U);
}

TEST(DueAnswer, KnowsWhetherItsClientCameByForIt) {
  DueAnswer made = due(9, 1);
  made.began = 5;
  EXPECT_FALSE(made.came_by(4.5));
  EXPECT_TRUE(made.came_by(5));
  made.ends = 6;
  EXPECT_TRUE(made.came_by(8));
  made.ends = 4;
  EXPECT_FALSE(made.came_by(8)) << "it was gone before";
}

}  // namespace
}  // namespace anybit
