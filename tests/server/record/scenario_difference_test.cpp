#include "server/record/scenario_difference.h"

#include <gtest/gtest.h>

#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

std::string text(const std::vector<std::string>& settings) { return result_bearing_text(tiny_scenario(settings)); }

TEST(ScenarioDifference, NamesKeysWithBothValues) {
  EXPECT_EQ(scenario_difference(text({}), text({"training.epochs=2", "training.optimizer.rate=0.5"})),
            (std::vector<std::string>{"training.epochs (1, now 2)", "training.optimizer.rate (0.1, now 0.5)"}));
}

TEST(ScenarioDifference, IsEmptyForEqualTexts) { EXPECT_TRUE(scenario_difference(text({}), text({})).empty()); }

TEST(ScenarioDifference, NamesKeysThatAreNotThere) {
  EXPECT_EQ(scenario_difference("[a]\nx = 1\n", "[a]\ny = 2\n"),
            (std::vector<std::string>{"a.x (1, now not there)", "a.y (not there, now 2)"}));
}

TEST(ScenarioDifference, NumbersRepeatedTables) {
  EXPECT_EQ(scenario_difference("[[fleet.class]]\nshare = 0.5\n[[fleet.class]]\nshare = 0.5\n",
                                "[[fleet.class]]\nshare = 0.5\n[[fleet.class]]\nshare = 0.4\n"),
            (std::vector<std::string>{"fleet.class[1].share (0.5, now 0.4)"}));
  const std::string class_a = "[[fleet.class]]\nshare = 0.5\n[fleet.class.availability]\nname = \"a\"\n";
  const std::string class_b = "[[fleet.class]]\nshare = 0.5\n[fleet.class.availability]\nname = \"b\"\n";
  EXPECT_EQ(scenario_difference(class_a + class_a, class_b + class_a),
            (std::vector<std::string>{"fleet.class[0].availability.name (\"a\", now \"b\")"}));
}

}  // namespace
}  // namespace anybit
