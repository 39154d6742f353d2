#include "data/federated_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "files.h"
#include "nn/parallel.h"

namespace anybit {
namespace {

Scenario scenario(const std::string& set, std::uint32_t clients, const std::string& partition) {
  Scenario made;
  made.data.set = {set, Options("data"), {"test.toml", 2}};
  made.data.clients = clients;
  made.data.partition = {partition, Options("data.partition"), {"test.toml", 4}};
  made.data.where = {"test.toml", 1};
  return made;
}

std::string refusal(const Scenario& wrong, const std::vector<std::string>& directories) {
  try {
    load_data(wrong, directories);
  } catch (const ScenarioError& error) {
    return error.what();
  } catch (const ScenarioErrors& errors) {
    return errors.what();
  }
  return "";
}

Bytes bytes_of(const ExamplesView& view) {
  Bytes all;
  for (const std::uint32_t index : view.indices) {
    const auto pixels = view.pixels.subspan(index * view.shape.size(), view.shape.size());
    all.insert(all.end(), pixels.begin(), pixels.end());
    all.push_back(view.labels[index]);
  }
  return all;
}

std::set<std::string> pictures_of(const ExamplesView& view) {
  std::set<std::string> all;
  for (const std::uint32_t index : view.indices) {
    const auto pixels = view.pixels.subspan(index * view.shape.size(), view.shape.size());
    all.emplace(pixels.begin(), pixels.end());
  }
  return all;
}

TEST(FederatedData, PooledGlyphsAreClientsTimesExamples) {
  Scenario glyphs = scenario("glyphs", 10, "dirichlet");
  glyphs.data.proxy = 25;
  glyphs.data.validation = 37;
  const auto data = load_data(glyphs, {});
  EXPECT_EQ(data->shape, (Shape{28, 28, 1}));
  EXPECT_EQ(data->classes, 10);
  EXPECT_EQ(data->clients, 10U);
  EXPECT_EQ(data->test.size(), 5000U);
  EXPECT_EQ(data->proxy.size(), 25U);
  EXPECT_EQ(data->validation.size(), 37U);
  ASSERT_EQ(data->checksums.size(), 1U);
  EXPECT_TRUE(data->checksums[0].starts_with("glyphs-test ")) << data->checksums[0];
  EXPECT_TRUE(data->checksums[0].ends_with(" 3925000")) << "5,000 pictures of 784 bytes and a label";
  EXPECT_EQ(load_data(glyphs, {})->checksums, data->checksums);
  glyphs.seed += 1;
  EXPECT_NE(load_data(glyphs, {})->checksums, data->checksums);

  // No picture is in two hands: clients, proxy, validation and test are all different.
  ExamplePool scratch;
  std::set<std::string> seen;
  std::size_t total = 0;
  for (std::uint32_t client = 0; client < 10; ++client) {
    EXPECT_EQ(data->examples(client), data->client(client, scratch).size());
    total += data->examples(client);
    seen.merge(pictures_of(data->client(client, scratch)));
  }
  EXPECT_EQ(total, 1000U);
  for (const ExamplesView& view : {data->proxy, data->validation, data->test}) {
    seen.merge(pictures_of(view));
    total += view.size();
  }
  EXPECT_EQ(seen.size(), total);
}

TEST(FederatedData, PoolAndWriterDrawTheSameExamples) {
  const auto pooled = load_data(scenario("glyphs", 4, "iid"), {});
  const auto written = load_data(scenario("glyphs", 4, "writer"), {});
  ExamplePool scratch;
  std::set<std::string> a, b;
  for (std::uint32_t client = 0; client < 4; ++client) {
    a.merge(pictures_of(pooled->client(client, scratch)));
    b.merge(pictures_of(written->client(client, scratch)));
  }
  EXPECT_EQ(a, b);
  EXPECT_EQ(bytes_of(pooled->test), bytes_of(written->test));
}

TEST(FederatedData, AMillionWritersTakeNoMemoryAndNoTime) {
  Scenario many = scenario("glyphs", 1'000'000, "writer");
  many.data.proxy = 100;
  const auto data = load_data(many, {});
  EXPECT_EQ(data->clients, 1'000'000U);
  EXPECT_EQ(data->examples(999'999), 100U);
  EXPECT_LT(data->proxy.pixels.size(), std::size_t{100} * 784 + 1);

  ExamplePool scratch;
  const ExamplesView last = data->client(999'999, scratch);
  EXPECT_EQ(last.size(), 100U);
  EXPECT_EQ(last.pixels.data(), scratch.pixels.data());
  const Bytes first_time = bytes_of(last);
  const auto* place = scratch.pixels.data();
  data->client(0, scratch);
  EXPECT_EQ(scratch.pixels.data(), place);  // the scratch is used again
  EXPECT_EQ(bytes_of(data->client(999'999, scratch)), first_time);
  EXPECT_THROW(data->client(1'000'000, scratch), std::out_of_range);
}

TEST(FederatedData, OfAWriterThereIsMoreThanAnybodyHolds) {
  const auto few = load_data(scenario("glyphs", 4, "writer"), {});
  Scenario twice = scenario("glyphs", 4, "writer");
  twice.data.set.options.set("examples", std::int64_t{200});
  const auto more = load_data(twice, {});
  ExamplePool scratch, other;
  const Bytes held = bytes_of(few->client(3, scratch)), unseen = bytes_of(few->unseen(3, scratch));
  EXPECT_EQ(held.size() + unseen.size(), 200U * 785) << "as many again";
  Bytes both = held;
  both.insert(both.end(), unseen.begin(), unseen.end());
  EXPECT_EQ(both, bytes_of(more->client(3, other))) << "by the same hand, the next ones";
  EXPECT_THROW(few->unseen(4, scratch), std::out_of_range);
  EXPECT_EQ(load_data(scenario("glyphs", 4, "iid"), {})->unseen(3, scratch).size(), 0U);
}

TEST(FederatedData, ClientsAreTheSameInEveryThread) {
  for (const std::string partition : {"writer", "dirichlet"}) {
    const auto data = load_data(scenario("glyphs", 16, partition), {});
    std::vector<Bytes> alone(16), together(16);
    ExamplePool scratch;
    for (std::uint32_t client = 0; client < 16; ++client) alone[client] = bytes_of(data->client(client, scratch));
    std::vector<ExamplePool> scratches(4);
    parallel_for(16, 4, [&](std::size_t client, int worker) {
      ExamplePool& mine = scratches[static_cast<std::size_t>(worker)];
      together[client] = bytes_of(data->client(static_cast<std::uint32_t>(client), mine));
    });
    EXPECT_EQ(alone, together);
  }
}

TEST(FederatedData, ServerSharesOfAFileSetAreTakenFromTrainingExamplesAndNoClientHasThem) {
  const Folder folder;
  write_idx_set(folder, "mnist", 60, 7);
  Scenario mnist = scenario("mnist", 5, "iid");
  mnist.data.proxy = 8;
  mnist.data.validation = 12;
  const auto data = load_data(mnist, {folder.path()});
  EXPECT_EQ(data->test.size(), 7U);
  EXPECT_EQ(data->checksums.size(), 4U);
  std::vector<std::uint32_t> held(data->proxy.indices.begin(), data->proxy.indices.end());
  held.insert(held.end(), data->validation.indices.begin(), data->validation.indices.end());
  EXPECT_EQ(held.size(), 20U);
  ExamplePool scratch;
  for (std::uint32_t client = 0; client < 5; ++client) {
    const ExamplesView view = data->client(client, scratch);
    EXPECT_EQ(view.size(), 8U);
    held.insert(held.end(), view.indices.begin(), view.indices.end());
  }
  EXPECT_FALSE(std::is_sorted(held.begin(), held.begin() + 20));  // at random, not the first ones
  std::sort(held.begin(), held.end());
  for (std::uint32_t i = 0; i < 60; ++i) EXPECT_EQ(held[i], i);

  mnist.seed = 2;
  const auto other = load_data(mnist, {folder.path()});
  EXPECT_FALSE(std::equal(data->proxy.indices.begin(), data->proxy.indices.end(), other->proxy.indices.begin()));
}

TEST(FederatedData, RefusesWhatCannotWork) {
  const Folder folder;
  write_idx_set(folder, "mnist", 60, 7);
  EXPECT_EQ(refusal(scenario("mnist", 5, "writer"), {folder.path()}),
            "test.toml:4: data.partition: 'mnist' does not say who wrote an example, so it cannot be dealt out by "
            "'writer'; 'iid', 'dirichlet' and 'quantity' can");
  Scenario greedy = scenario("mnist", 5, "iid");
  greedy.data.proxy = 56;
  EXPECT_EQ(refusal(greedy, {folder.path()}),
            "test.toml:1: data: proxy, validation and one example for each client take 61, but there are 60 training "
            "examples");
  EXPECT_NE(refusal(scenario("glyphs", 1'000'000, "iid"), {}).find("'writer'"), std::string::npos);
  EXPECT_NE(refusal(scenario("glyph", 5, "iid"), {}).find("did you mean 'glyphs'"), std::string::npos);
  const std::string missing = refusal(scenario("fashion-mnist", 5, "iid"), {folder.path()});
  EXPECT_TRUE(missing.starts_with("test.toml:2: data.set: fashion-mnist: ")) << missing;
  EXPECT_NE(missing.find("scripts/fetch_data fashion-mnist"), std::string::npos) << missing;
}

TEST(FederatedData, DirectoriesAreSearchedInOrder) {
  const char* before = std::getenv("ANYBIT_DATA");
  const std::string saved = before ? before : "";
  setenv("ANYBIT_DATA", "/from/environment", 1);
  EXPECT_EQ(data_directories("/given"), (std::vector<std::string>{"/given", "/from/environment", "data-cache"}));
  EXPECT_EQ(data_directories(""), (std::vector<std::string>{"/from/environment", "data-cache"}));
  unsetenv("ANYBIT_DATA");
  EXPECT_EQ(data_directories(""), (std::vector<std::string>{"data-cache"}));
  if (before) setenv("ANYBIT_DATA", saved.c_str(), 1);
}

TEST(FederatedData, RealFashionMnistIsDealtOutWhole) {
  if (real_data("fashion-mnist").empty()) GTEST_SKIP() << "no data: fashion-mnist";
  Scenario fashion = scenario("fashion-mnist", 100, "dirichlet");
  fashion.data.proxy = 1000;
  fashion.data.validation = 2000;
  const auto data = load_data(fashion, {real_data("fashion-mnist")});
  std::size_t total = 0;
  for (std::uint32_t client = 0; client < 100; ++client) total += data->examples(client);
  EXPECT_EQ(total, 57000U);
  EXPECT_EQ(data->test.size(), 10000U);
}

}  // namespace
}  // namespace anybit
