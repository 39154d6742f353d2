#include "sim/players.h"

#include <gtest/gtest.h>

#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

/// Hands one frame over as another's, as a line does that is one frame behind.
class LateTransport final : public Transport {
 public:
  enum class Late { kNothing, kTask, kUpdate };
  explicit LateTransport(Late late) : Transport(1), late_(late) {}

  void carry_task(int, const CohortTask& sent, const TaskReceiver& receiver, Message& received) override {
    TaskMessage task = sent.message;
    task.id.client = late_ == Late::kTask ? receiver.client - 1 : receiver.client;
    received = std::move(task);
  }
  void carry_update(int, const UpdateMessage& sent, ReceivedUpdate& received) override {
    UpdateMessage update = sent;
    if (late_ == Late::kUpdate) --update.id.client;
    received.message = std::move(update);
  }
  void carry_answer(int, const Message&) override {}

 private:
  Late late_;
};

std::string play(LateTransport::Late late) {
  const Federation federation = tiny_federation();
  LateTransport transport(late);
  Players players(federation, transport, 1);
  auto encoded = std::make_shared<Bytes>();
  federation.training.downlink->encode(*federation.training.layout, federation.training.broadcast,
                                       federation.first_state().global.values, {}, *encoded);
  ReceivedUpdate update;
  DueAnswer due;
  due.client = 7;
  due.task = make_cohort_task(federation.training,
                              {.task = {federation.run, 0, 0}, .parameters = encoded, .digest = crc32c(*encoded)});
  due.update = &update;
  DueAnswer* const wave[] = {&due};
  try {
    players.play(wave);
  } catch (const TransportError& error) {
    return error.what();
  }
  return due.lost;
}

TEST(Players, TakeNoFrameInPlaceOfAnother) {
  using Late = LateTransport::Late;
  EXPECT_EQ(play(Late::kNothing), "");
  EXPECT_EQ(
      play(Late::kTask),
      "transport: the task of client 6 in round 0 arrived in place of client 7's in round 0; go on with --resume");
  EXPECT_EQ(play(Late::kUpdate),
            "transport: the update of client 6 in round 0 arrived in place of client 7's in round 0; "
            "go on with --resume");
}

}  // namespace
}  // namespace anybit
