#include "server/resolve.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

/// A file of this process, gone afterwards.
class TinyFile {
 public:
  TinyFile() { std::ofstream(path_) << kTinyScenario; }
  ~TinyFile() { std::remove(path_.c_str()); }
  TinyFile(const TinyFile&) = delete;
  TinyFile& operator=(const TinyFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "resolve_" + std::to_string(::getpid()) + ".toml";
};

ResolvedScenario resolve(const std::vector<std::string>& settings) {
  const TinyFile file;
  return resolve_file(file.path(), settings, {});
}

std::vector<std::string> mistakes(const std::vector<std::string>& settings) {
  try {
    resolve(settings);
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

TEST(Resolve, WritesEveryOptionOut) {
  const Scenario scenario = resolve({}).scenario;
  EXPECT_TRUE(scenario.training.optimizer.options.has("momentum"));
  EXPECT_TRUE(scenario.data.partition.options.has("minimum"));
}

TEST(Resolve, IsStable) {
  const std::string text = write_scenario(resolve({}).scenario);
  EXPECT_EQ(write_scenario(resolve_scenario(parse_scenario(text, "again.toml", {}), {}).scenario), text);
}

TEST(Resolve, DropsWhatWasWrittenForTheOldRowAndSaysSo) {
  const ResolvedScenario resolved = resolve({"training.method.name=fedavg"});
  EXPECT_EQ(resolved.scenario.training.method.name, "fedavg");
  ASSERT_EQ(resolved.notes.size(), 1U);
  EXPECT_NE(resolved.notes[0].find("training.method"), std::string::npos);
  EXPECT_NE(resolved.notes[0].find("widths, activations"), std::string::npos);
}

// `examples` of drawn sets counts each writer's; the file sets' `limit` is another thing.
TEST(Resolve, DropsTheExamplesOfEachWriterWhereASetOfFilesTakesOver) {
  const ResolvedScenario resolved = resolve({"data.set=mnist"});
  EXPECT_FALSE(resolved.scenario.data.set.options.has("examples"));
  EXPECT_EQ(resolved.scenario.data.set.options.integer("limit"), 0);
  ASSERT_EQ(resolved.notes.size(), 1U);
  EXPECT_TRUE(resolved.notes[0].starts_with("data is now 'mnist': dropped ")) << resolved.notes[0];
  EXPECT_TRUE(resolved.notes[0].ends_with(": examples")) << resolved.notes[0];
}

TEST(Resolve, KeepsWhatTheNewRowKnows) {
  const ResolvedScenario resolved = resolve({"training.optimizer.name=adam"});
  EXPECT_TRUE(resolved.notes.empty());
  EXPECT_EQ(resolved.scenario.training.optimizer.options.number("rate"), 0.1);
}

TEST(Resolve, CollectsAllMistakes) {
  const std::vector<std::string> lines = mistakes(
      {"model.name=mpl", "training.method.widthss=[4]", "training.optimizer.rate=-1", "evaluate.range=[\"mes\"]"});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_NE(lines[0].find("did you mean 'mlp'"), std::string::npos);
  EXPECT_NE(lines[1].find("did you mean 'widths'"), std::string::npos);
  EXPECT_NE(lines[2].find("rate"), std::string::npos);
  EXPECT_NE(lines[3].find("--set evaluate.range: unknown range rule 'mes'"), std::string::npos);
}

const std::string kPlainMethod = "training.method={name=\"fedavg\"}";

/// How many mistakes there are, and whether each of the words is in one of them.
void expect_mistakes(const std::vector<std::string>& settings, const std::vector<std::string>& words) {
  const std::vector<std::string> lines = mistakes(settings);
  EXPECT_EQ(lines.size(), words.size()) << testing::PrintToString(lines);
  for (const std::string& word : words)
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [&](const std::string& line) { return line.find(word) != std::string::npos; }),
              1)
        << word;
}

TEST(Resolve, FindsEveryBadValueOfOnePart) {
  expect_mistakes({"training.optimizer.rate=-1", "training.optimizer.momentum=2", "training.optimizer.clip=-1"},
                  {"rate", "momentum", "clip"});
  expect_mistakes({"data.bend=2", "data.noise=-1", "data.classes=1"}, {"bend", "noise", "classes"});
  expect_mistakes({"data.partition.alpha=-1", "data.partition.minimum=0"}, {"alpha", "minimum"});
  expect_mistakes({"federation.uplink.bits=99", "federation.uplink.rounding=up"}, {"bits", "rounding"});
  expect_mistakes({"training.method.widths=[99]", "training.method.range=bogus", "training.method.first=1"},
                  {"widths", "range", "first"});
}

TEST(Resolve, AValueThatOnlyGoesWithABadOneIsNotJudged) {
  expect_mistakes({"training.optimizer.nesterov=true", "training.optimizer.momentum=2"}, {"momentum"});
  expect_mistakes(
      {"data.proxy=many", "training.method.name=fedavg", "training.method.widths=[4]", "evaluate.activations=[8]"},
      {"data.proxy", "widths"});
}

TEST(Resolve, FindsWhatGoesWrongTogetherBesideOtherParts) {
  expect_mistakes({"training.optimizer.rate=-1", "training.method.name=kure", "training.method.layers=inner",
                   "evaluate.range=[\"learned\"]", "federation.strategy.rate=0"},
                  {"training.optimizer.rate", "leaves nothing", "federation.strategy.rate"});
}

TEST(Resolve, FindsWhatTheMethodsOwnQuantizersCannotAnswer) {
  const std::string trained = "evaluate.range=[\"trained\"]";
  expect_mistakes({trained, "evaluate.weights=[32, 4, 3]", "evaluate.activations=[32, 8]"}, {});
  expect_mistakes({trained, kPlainMethod}, {"method 'fedavg' has no quantizers"});
  expect_mistakes({trained, "training.method={name=\"lsq\", width=4}", "evaluate.weights=[4, 3]"}, {"at 3 bits"});
  expect_mistakes({trained, "training.method={name=\"lsq\", width=4}", "data.proxy=0", "evaluate.activations=[8]"},
                  {"float activations"});
  expect_mistakes({"training.method.range=trained"}, {"known: minmax, mse, percentile, learned"});
}

TEST(Resolve, FindsMissingFilesBesideOtherMistakes) {
  const std::string missing = "data.set: mnist: its files are in none";
  expect_mistakes({"data.set=mnist", "training.optimizer.rate=-1"}, {"rate", missing});
  expect_mistakes({"data.set=mnist", "data.examples=-1", "data.partition.alpha=-1"}, {"examples", "alpha", missing});
}

TEST(Resolve, FindsWhatTheDataCannotGiveBesideOtherMistakes) {
  expect_mistakes({"data.partition.minimum=1000", "training.optimizer.rate=-1"}, {"rate", "data.partition.minimum"});
}

TEST(Resolve, TellsWhatIsTooLargeBeforeMakingIt) {
  expect_mistakes({"model.hidden=[30000, 30000]"}, {"take a smaller network"});
  expect_mistakes({"training.batch=2000000000", "training.optimizer.rate=-1"},
                  {"--set training.batch: the activations of 2000000000 examples", "rate"});
  expect_mistakes({"data.clients=3000000000", "data.proxy=300000000"}, {"--set data.clients", "--set data.proxy"});
}

// The files' images may be larger or smaller than those that stand in for them here.
TEST(Resolve, SaysNothingOfSizesBeforeTheFilesAreRead) {
  expect_mistakes({"data.set=mnist", "model.hidden=[30000]"}, {});
}

TEST(Resolve, AGridWithABadKeyIsNotJudged) {
  expect_mistakes({"training.method.range=learned", "evaluate.range=[\"learned\"]", "evaluate.granularity=[\"chanel\"]",
                   "training.optimizer.rate=-1"},
                  {"evaluate.granularity", "rate"});
  expect_mistakes({"training.method.range=learned", "evaluate.range=[\"learned\"]", "evaluate.first=99"},
                  {"evaluate.first"});
}

TEST(Resolve, AGridThatNoRoundIsTestedOnNeedsNoRanges) {
  const std::vector<std::string> without_ranges = {"training.method={name=\"fedavg\"}", "data.proxy=0",
                                                   "evaluate.activations=[8]", "evaluate.final.weights=[4]"};
  expect_mistakes(without_ranges, {});
  std::vector<std::string> now_and_then = without_ranges;
  now_and_then.emplace_back("evaluate.every=2");
  expect_mistakes(now_and_then, {"data.proxy"});
}

/// 28 x 28 x 16 + 16 + 16 x 10 + 10 = 12730 parameters in three buffers and twice in a task's two frames, and eight
/// times 784 + 16 + 16 + 10 activations: 382872 bytes.
std::string class_with(const std::string& memory) {
  return "fleet.class=[{name = \"mcu\", share = 1.0, widths = 8, memory = " + memory + "}]";
}

TEST(Resolve, RefusesDevicesThatCannotHoldATask) {
  EXPECT_EQ(mistakes({kPlainMethod, class_with("382872")}), std::vector<std::string>());
  const std::string reason =
      "--set fleet.class: 'mcu' has 382.9 kB of memory, and a training task takes 382.9 kB at least, in batches of 8; "
      "give it more, take a smaller network or batch, or leave the class out";
  EXPECT_EQ(mistakes({kPlainMethod, class_with("382871")}), std::vector<std::string>{reason});
  expect_mistakes({kPlainMethod, class_with("\"10kB\""), "evaluate.range=[\"mes\"]"}, {"'mcu' has 10.0 kB", "'mes'"});
  expect_mistakes({class_with("\"10kB\""), "training.optimizer.rate=-1"}, {"rate"});
}

// Where the images are in files, the resolver may not have seen them.
TEST(MakeFederation, RefusesDevicesThatCannotHoldATask) {
  Scenario scenario = tiny_scenario({kPlainMethod, class_with("382872")});
  scenario.fleet[0].memory = 1000;
  try {
    make_federation(scenario, {});
    ADD_FAILURE() << "accepted";
  } catch (const ScenarioErrors& errors) {
    ASSERT_EQ(errors.lines().size(), 1U);
    EXPECT_TRUE(errors.lines()[0].starts_with("--set fleet.class: 'mcu' has 1.0 kB of memory, ")) << errors.lines()[0];
  }
}

TEST(Resolve, KnowsTheAvailabilityOfEachClass) {
  const auto classes = [](const std::string& availability) {
    return "fleet.class=[{name = \"a\", share = 0.5, widths = 8, availability = " + availability +
           "}, {name = \"b\", share = 0.5, widths = 8}]";
  };
  const Scenario scenario = resolve({classes("\"diurnal\"")}).scenario;
  EXPECT_EQ(scenario.fleet[0].availability.options.number("day"), 86400);
  EXPECT_TRUE(scenario.fleet[1].availability.options.entries().empty());
  expect_mistakes({classes("\"diurnl\"")}, {"unknown availability 'diurnl'; known: always, diurnal, trace"});
  expect_mistakes({classes("{name = \"diurnal\", from = 30, zones = 99, hours = 3}")},
                  {"from: 30.0 is out of range", "zones: 99.0 is out of range", "'diurnal' has no option 'hours'"});
  expect_mistakes({classes("{name = \"trace\", file = \"/a\", repeat = -1}")}, {"file: '/a'", "repeat"});
}

TEST(Resolve, AnAsynchronousFederationHasNoPolicyOfRounds) {
  const std::string fedbuff = "federation.aggregation={name = \"fedbuff\", concurrency = 2";
  expect_mistakes({fedbuff + "}", "federation.over_selection=2", "federation.minimum=2", "federation.deadline=1",
                   "federation.replace_until=0.5"},
                  {"over_selection", "minimum", "replace_until"});
  expect_mistakes({"federation.aggregation=fedasync"}, {"makes a version of each update: set it to 1"});
  const std::string width = "federation.weighting=width";
  expect_mistakes({fedbuff + "}", width}, {"counts all updates alike: give it weighted = true"});
  expect_mistakes({"federation.aggregation=fedasync", "federation.cohort=1", width}, {"weighs none: leave it out"});
  expect_mistakes({fedbuff + ", weighted = true}", width}, {});
}

TEST(Resolve, PointsAtTheLine) {
  const std::string text = std::string(kTinyScenario) + "[checkpoint]\n";
  std::string broken = text;
  broken.replace(broken.find("name = \"sgd\""), 12, "name = \"sdg\"");
  try {
    resolve_scenario(parse_scenario(broken, "broken.toml", {}), {});
    FAIL();
  } catch (const ScenarioErrors& errors) {
    ASSERT_EQ(errors.lines().size(), 1U);
    EXPECT_TRUE(errors.lines()[0].starts_with("broken.toml:21: ")) << errors.lines()[0];
  }
}

}  // namespace
}  // namespace anybit
