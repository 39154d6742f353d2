#include "server/postponed_answers.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

/// A message of this client, whose delta lies in `storage`.
Message update_of(std::uint32_t client, Bytes& storage) {
  UpdateMessage update;
  update.id = {7, 3, client};
  update.delta = storage;
  return update;
}

TEST(PostponedAnswers, KeepBytesAndOrder) {
  PostponedAnswers answers;
  Bytes storage = {1, 2, 3};
  Message update = update_of(5, storage);
  answers.keep({.connection = 9, .hello = {.client = 5}, .crc = 77}, update, storage);
  storage.assign(3, 0);  // read into again
  Message accept = Accept{{7, 3, 4}};
  answers.keep({.connection = 8}, accept, storage);
  const std::optional<ClientAnswer> first = answers.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->connection, 9U);
  EXPECT_EQ(first->hello.client, 5U);
  EXPECT_EQ(first->crc, 77U);
  const std::span<const std::uint8_t> delta = std::get<UpdateMessage>(first->message).delta;
  EXPECT_EQ(Bytes(delta.begin(), delta.end()), (Bytes{1, 2, 3}));
  EXPECT_EQ(std::get<Accept>(answers.take()->message).id, (TaskId{7, 3, 4}));
  EXPECT_FALSE(answers.take());
}

TEST(PostponedAnswers, OfEachClientOneOfAKindWaits) {
  PostponedAnswers answers;
  Bytes storage;
  for (int time = 0; time < 3; ++time)
    for (const std::uint32_t client : {1U, 2U}) {
      Message update = update_of(client, storage);
      answers.keep({}, update, storage);
      Message decline = Decline{{7, 3, client}, "no"};
      answers.keep({}, decline, storage);
    }
  int count = 0;
  while (answers.take()) ++count;
  EXPECT_EQ(count, 4);
  Message again = update_of(1, storage);
  answers.keep({}, again, storage);
  EXPECT_TRUE(answers.take()) << "the one before does not wait any more";
}

}  // namespace
}  // namespace anybit
