#include "server/record/run_recorder.h"

#include <gtest/gtest.h>

#include "tests/server/served_federation.h"

namespace anybit {
namespace {

std::string text_where_nobody_is_left(const std::vector<std::string>& settings) {
  const ServedFederation served(settings);
  return served.recorder->given_up_text(served.server->state(), true);
}

TEST(RunRecorder, SaysWhoWouldBeLeftToAsk) {
  EXPECT_EQ(text_where_nobody_is_left({"federation.minimum=2"}),
            "gave up at version 0 of 2: fewer than 2 clients are available at once from then on, as far as was looked "
            "ahead; the classes' availability says when");
  EXPECT_EQ(text_where_nobody_is_left({"federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=2"}),
            "gave up at version 0 of 2: no client is available from then on but those whose updates wait for the "
            "version's last; the classes' availability says when");
}

/// More time helps where somebody missed the deadline, and not where tasks were called off as the run gave up.
TEST(RunRecorder, AdvisesMoreTimeOnlyWhereADeadlinePassed) {
  const auto text_of = [](const std::string& deadline) {
    ServedFederation served({"data.clients=3", "federation.cohort=3", "federation.minimum=2", "federation.give_up=1",
                             "federation.deadline=" + deadline});
    served.start();
    ServedClient first(served, 0);
    ServedClient second(served, 1);
    for (ServedClient* client : {&first, &second}) {
      const TaskId task = client->receive<Offer>().id;
      if (deadline != "0.3") client->send(Decline{task, "busy"});
    }
    EXPECT_FALSE(served.wait());
    EXPECT_NE(served.metrics().find(R"("released": )"), std::string::npos) << served.metrics();
    return served.recorder->given_up_text(served.server->state());
  };
  const std::string advice = "more time (federation.deadline) may help";
  EXPECT_NE(text_of("0.3").find(advice), std::string::npos);
  EXPECT_EQ(text_of("1000").find(advice), std::string::npos) << text_of("1000");
}

TEST(RunRecorder, AdvisesNoMoreTimeWhereAsynchronousTasksFailedBeforeTheirDeadline) {
  ServedFederation served({"data.clients=2", "federation.cohort=1", "federation.give_up=1", "federation.deadline=1000",
                           "federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=2"});
  served.start();
  ServedClient first(served, 0);
  ServedClient second(served, 1);
  for (ServedClient* client : {&first, &second}) client->send(Decline{client->receive<Offer>().id, "busy"});
  EXPECT_FALSE(served.wait());
  EXPECT_NE(served.metrics().find(R"("released": 1)"), std::string::npos) << served.metrics();
  const std::string text = served.recorder->given_up_text(served.server->state());
  EXPECT_EQ(text.find("more time"), std::string::npos) << text;
}

}  // namespace
}  // namespace anybit
