#include "client/local_data.h"

#include <gtest/gtest.h>

#include "program/exit_code.h"
#include "tests/data/files.h"

namespace anybit {
namespace {

Scenario scenario_of(const std::string& set, std::uint32_t clients) {
  Options options("data");
  Scenario scenario;
  scenario.data.set = {set, options, {"s.toml", 3}};
  scenario.data.clients = clients;
  scenario.data.partition = {"iid", Options("data.partition"), {"s.toml", 4}};
  return scenario;
}

TEST(LocalData, AShardIsTheScenariosClient) {
  const Folder folder;
  write_idx_set(folder, "mnist", 40, 10);
  const Scenario scenario = scenario_of("mnist", 4);
  const auto all = load_data(scenario, {folder.path()});
  for (std::uint32_t client = 0; client < 4; ++client) {
    const LocalData shard(scenario, client, {folder.path()});
    ExamplePool scratch;
    const ExamplesView expected = all->client(client, scratch);
    ASSERT_EQ(shard.examples().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(shard.examples().labels[shard.examples().indices[i]], expected.labels[expected.indices[i]]);
    EXPECT_EQ(shard.normalization().mean, all->normalization.mean);
    EXPECT_TRUE(shard.shape() == all->shape);
    EXPECT_EQ(shard.classes(), 10);
  }
}

TEST(LocalData, OwnDataIsAllOfTheFolderAndNeedsNoTestFiles) {
  const Folder folder;
  folder.write("mine/train-images-idx3-ubyte", idx_images(7, 2, 2));
  folder.write("mine/train-labels-idx1-ubyte", idx_labels({0, 1, 2, 3, 4, 5, 6}));
  const LocalData own(scenario_of("fashion-mnist", 4), DataPlace{"idx", folder.path() + "/mine"});
  EXPECT_EQ(own.examples().size(), 7U);
  EXPECT_EQ(own.examples().labels[6], 6);
  EXPECT_TRUE((own.shape() == Shape{2, 2, 1}));
}

TEST(LocalData, AShardOfANamedFolderMayLieInTheFolderItself) {
  const Folder folder;
  write_idx_set(folder, "mine", 40, 10);
  EXPECT_EQ(LocalData(scenario_of("mnist", 4), 1, {folder.path() + "/mine"}, true).examples().size(), 10U);
  EXPECT_THROW(LocalData(scenario_of("mnist", 4), 1, {folder.path() + "/mine"}), ScenarioError);
}

TEST(LocalData, WhatDoesNotFitIsRefusedWithWhatToDo) {
  const auto complaint = [](const auto& make) -> std::string {
    try {
      make();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  };
  const std::string drawn = complaint([] { LocalData(scenario_of("glyphs", 4), DataPlace{"", "/nowhere"}); });
  EXPECT_NE(drawn.find("--shard K/N"), std::string::npos) << drawn;
  const std::string format = complaint([] { LocalData(scenario_of("mnist", 4), DataPlace{"cifar-10", "/nowhere"}); });
  EXPECT_NE(format.find("trains on 'mnist', whose files are idx"), std::string::npos) << format;
  const std::string missing = complaint([] { LocalData(scenario_of("mnist", 4), DataPlace{"idx", "/nowhere"}); });
  EXPECT_NE(missing.find("train-images-idx3-ubyte"), std::string::npos) << missing;
}

}  // namespace
}  // namespace anybit
