#include "server/record/provenance.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/kernel_set.h"
#include "program/version.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Provenance, NamesTheProgramAndTheData) {
  const std::string text = provenance_json(tiny_federation(), "A", 0, "");
  EXPECT_TRUE(holds(text, "\"data\": [\"glyphs-test ")) << text;
  EXPECT_TRUE(holds(text, "\"kernel_set\": \"A\",\n"));
  EXPECT_TRUE(holds(text, "{\"after_round\": 0, \"version\": \"" + program_version() + "\", \"commit\": \"" +
                              program_commit() + "\", \"compiler\": \"g++ "));
  EXPECT_TRUE(holds(text, "\"kernel_set\": \"" + kernel_set() + "\"}\n"));  // which names the kernels' version
}

TEST(Provenance, KeepsWhatEarlierProcessesSaid) {
  const Federation federation = tiny_federation();
  const std::string first = R"(    {"after_round": 0, "version": "0.0.1", "commit": "abc"})";
  const std::string second = provenance_json(federation, "A", 7, "{\n  \"processes\": [\n" + first + "\n  ]\n}\n");
  EXPECT_TRUE(holds(second, "[\n" + first + ",\n    {\"after_round\": 7, ")) << second;
  const std::string third = provenance_json(federation, "A", 9, second);
  EXPECT_TRUE(holds(third, first + ",\n    {\"after_round\": 7, ")) << third;
  EXPECT_TRUE(holds(third, "},\n    {\"after_round\": 9, ")) << third;
  EXPECT_EQ(std::count(third.begin(), third.end(), '\n'), 10);
}

TEST(Provenance, LeavesOutALineThatIsNotWhole) {
  const std::string text = provenance_json(tiny_federation(), "A", 7, "    {\"after_round\": 0, \"version\": \"0.0");
  EXPECT_TRUE(holds(text, "\"processes\": [\n    {\"after_round\": 7, ")) << text;
}

}  // namespace
}  // namespace anybit
