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

}  // namespace
}  // namespace anybit
