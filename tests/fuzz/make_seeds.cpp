// Writes what the fuzzers start from: make_seeds FOLDER makes FOLDER/TARGET/... for each of them.
#include <filesystem>
#include <fstream>
#include <string>

#include "server/checkpoint.h"
#include "server/event_log.h"
#include "server/record/metrics.h"
#include "tests/server/states_in_memory.h"
#include "tests/wire/samples.h"

using namespace anybit;

namespace {

namespace fs = std::filesystem;

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const Bytes& bytes) {
    fs::create_directories(folder_ / target);
    std::ofstream file(folder_ / target / ("seed-" + std::to_string(++count_)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void add(const std::string& target, const std::string& text) { add(target, Bytes(text.begin(), text.end())); }
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
  int count_ = 0;
};

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes body_of(const Message& message) {
  const Bytes frame = encode_frame(message);
  return {frame.begin() + kFrameHeaderBytes, frame.end()};
}

/// An update that the round of tests/fuzz/update.cpp takes: every tensor, zeros by float32.
UpdateMessage whole_update() {
  UpdateMessage update = sample_update();
  update.tensors = {0, 2, 3};
  update.shares = {{1, 2}};
  update.delta = keep(Bytes(4 * 11, 0));
  return update;
}

void add_sessions(Seeds& seeds) {
  const Bytes join = {2, 1, 0, 10};  // Hello of the first session, and its Welcome is written
  seeds.add("session", join);
  seeds.add("session", joined({join, {3, 1, 0, 11}, {6, 200, 7, 200}}));  // two that want a turn, one waits
  seeds.add("session", joined({join, {6, 255, 12, 100, 14}}));
  for (const Message& message : one_of_each()) {
    const Bytes body = body_of(message);
    seeds.add(
        "session",
        joined(
            {join, {0, static_cast<std::uint8_t>(message.index() + 1), static_cast<std::uint8_t>(body.size())}, body}));
  }
}

void add_records(Seeds& seeds) {
  std::string events;
  for (int kind = 0; kind < 6; ++kind) {
    LoggedEvent event;
    event.time = 0.1 * kind;
    event.kind = static_cast<LoggedEvent::Kind>(kind);
    event.client = 3;
    event.crc = 0xabcdef01;
    event.reason = "was silent for too long";
    events += to_line(event);
  }
  seeds.add("records", events);
  RoundRecord record;
  record.report = {.round = 2, .version = 1, .clients = 3, .failed = 1, .train_loss = 0.5};
  record.accuracy.push_back({{.weights = 4, .activations = 8, .range = "mse", .granularity = "tensor"}, 0.75});
  seeds.add("records", metrics_line(record) + "\n");
  record.report.abandoned = true;
  seeds.add("records", metrics_line(record) + "\n");
}

void add_checkpoints(Seeds& seeds) {
  Checkpoint checkpoint;
  checkpoint.scenario = "seed = 1\n";
  checkpoint.kernel_set = "avx2";
  checkpoint.data = "glyphs 1\n";
  checkpoint.state.version = 3;
  checkpoint.state.round = 5;
  checkpoint.state.abandoned = 1;
  checkpoint.state.global.values = {1, 2, 3};
  checkpoint.state.strategy_state = {4, 5, 6};
  const std::string path = (seeds.folder() / "checkpoint.ckpt").string();
  for (const bool with_clients : {false, true}) {
    if (with_clients) checkpoint.state.counted = {{2, 3}, {7, 1}};
    if (with_clients)
      checkpoint.client_states =
          std::make_shared<const StatesInMemory>(checkpoint.state.counted, std::vector<float>{1, 2, 3, 4});
    write_checkpoint(path, checkpoint);
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    fs::remove(path);
    for (const char sealed : {'\0', '\1'}) seeds.add("checkpoint", sealed + bytes);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  fs::create_directories(words[1]);
  Seeds seeds(words[1]);
  for (const Message& message : one_of_each()) {
    seeds.add("frame", encode_frame(message));
    seeds.add("message", joined({{static_cast<std::uint8_t>(message.index())}, body_of(message)}));
  }
  for (std::uint8_t codec = 0; codec < 4; ++codec) seeds.add("update", joined({{codec}, body_of(whole_update())}));
  add_sessions(seeds);
  add_records(seeds);
  add_checkpoints(seeds);
  return 0;
}
