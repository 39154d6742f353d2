// Any body of an update against a round's sum, by each codec: counted, and then the sum is finite, or refused, and then
// the sum is what it was. The first byte is the codec, the layout's digest is put right.
#include <cmath>

#include "server/aggregate.h"
#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/require.h"
#include "tests/wire/samples.h"

using namespace anybit;

namespace {

/// A weight of seven values and tensors of every merge rule.
std::shared_ptr<const Layout> make_layout() {
  return std::make_shared<const Layout>(
      std::vector<TensorSpec>{{.name = "w", .shape = {7}},
                              {.name = "step", .shape = {1}, .role = Role::kQuantizer, .merge = Merge::kLogMean},
                              {.name = "top", .shape = {2}, .role = Role::kStatistic, .merge = Merge::kMax},
                              {.name = "count", .shape = {1}, .role = Role::kStatistic, .merge = Merge::kSum},
                              {.name = "mine", .shape = {1}, .role = Role::kStatistic, .merge = Merge::kLocal}});
}

struct Round {
  explicit Round(const std::string& name, std::int64_t bits) {
    Options options("federation.uplink");
    if (bits > 0) options.set("bits", bits);
    codec = codecs().make({name, options, {}});
    sum = std::make_unique<RoundSum>(layout, std::vector<int>{0, 1, 2, 3}, codec.get(), 3U);
  }

  std::vector<float> close() {
    const std::span<const float> change = sum->close();
    return {change.begin(), change.end()};
  }

  std::shared_ptr<const Layout> layout = make_layout();
  std::unique_ptr<Codec> codec;
  std::unique_ptr<RoundSum> sum;
};

void add(Round& round, const UpdateMessage& update) {
  const std::vector<float> before = round.close();
  const std::uint32_t clients = round.sum->clients();
  const bool counted = round.sum->add(update).empty();
  require(round.sum->clients() == clients + (counted ? 1 : 0), "an update counts once, or not");
  const std::vector<float> after = round.close();
  for (const float value : after) require(std::isfinite(value), "the sum is finite");
  require(std::isfinite(round.sum->train_loss()), "the loss is finite");
  require(counted || before == after, "what is refused leaves no trace");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array<Round, 4> rounds = {Round("float32", 0), Round("uniform", 2), Round("uniform", 5),
                                        Round("uniform", 16)};
  FuzzBytes input(data, size);
  Round& round = rounds[input.byte() % rounds.size()];
  const Bytes frame = frame_of(4, bytes_of(input.rest()));
  Message message;
  if (!decode_frame(frame, FrameLimits{}.body, message).empty()) return 0;
  UpdateMessage& update = std::get<UpdateMessage>(message);
  update.layout = round.layout->digest();
  round.sum->clear();
  for (int i = 0; i < 4; ++i) add(round, update);
  return 0;
}
