#include "client/local_data.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "data/datasets/dataset.h"
#include "program/exit_code.h"

namespace anybit {
namespace {

bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// The format of the files of a set.
std::string format_of(const std::string& set) { return set == "cifar-10" ? set : "idx"; }

}  // namespace

Shard parse_shard(const std::string& text) {
  Shard shard;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || !read_number(std::string_view(text).substr(0, slash), shard.client) ||
      !read_number(std::string_view(text).substr(slash + 1), shard.clients) || shard.clients == 0)
    throw CommandError(fmt::format("--shard {}: write K/N, e.g. 2/4: client 2 of 4, counted from 0", text));
  if (shard.client >= shard.clients)
    throw CommandError(fmt::format("--shard {}: clients are counted from 0, so the last one of {} is {}/{}", text,
                                   shard.clients, shard.clients - 1, shard.clients));
  return shard;
}

DataPlace parse_data_place(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {"", text};
  DataPlace place{text.substr(0, colon), text.substr(colon + 1)};
  if (place.format != "idx" && place.format != "cifar-10")
    throw CommandError(
        fmt::format("--data {}: unknown format '{}'; there are idx (MNIST's files) and cifar-10, written "
                    "FORMAT:FOLDER",
                    text, place.format));
  return place;
}

void check_format(const Scenario& scenario, const DataPlace& place) {
  const std::string& set = scenario.data.set.name;
  if (!place.format.empty() && place.format != format_of(set))
    throw CommandError(fmt::format("--data {}:{}: the server's scenario trains on '{}', whose files are {}",
                                   place.format, place.folder, set, format_of(set)));
}

LocalData::LocalData(const Scenario& scenario, std::uint32_t client, const std::vector<std::string>& directories,
                     bool named)
    : shards_(load_data(scenario, directories, named)),
      examples_(shards_->client(client, pool_)),
      normalization_(shards_->normalization),
      shape_(shards_->shape),
      classes_(shards_->classes) {}

LocalData::LocalData(const Scenario& scenario, const DataPlace& place) {
  check_format(scenario, place);
  const std::vector<std::string> directories = {place.folder};
  Dataset own = load_set(scenario.data.set, {scenario.seed, directories, true, true});
  if (own.writers)
    throw CommandError(
        fmt::format("the server's scenario trains on '{}', which is drawn and not read from files; say "
                    "which of its clients this is (--shard K/N)",
                    scenario.data.set.name));
  pool_ = std::move(own.training);
  examples_ = pool_.view();
  normalization_ = own.normalization;
  shape_ = own.shape;
  classes_ = own.classes;
}

}  // namespace anybit
