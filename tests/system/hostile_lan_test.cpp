// Peers that mean harm against the real server, beside clients that do not.
#include <gtest/gtest.h>

#include <limits>

#include "nn/kernel_set.h"
#include "nn/random.h"
#include "server/federation.h"
#include "tests/server/tiny_scenario.h"
#include "tests/system/lan.h"
#include "tests/wire/raw_socket.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

std::uint16_t port_of(const Lan& lan) { return static_cast<std::uint16_t>(lan.port()); }

/// Client 0, which answers offers as a test wants it.
class HostileClient {
 public:
  explicit HostileClient(const Lan& lan) : socket_(welcomed(lan)) {}

  void send(const Message& message) { socket_.send(encode_frame(message)); }

  /// The next message of this kind; others are passed over.
  template <class Kind>
  Kind receive() {
    for (;;) {
      const Message message = socket_.receive();
      if (const auto* found = std::get_if<Kind>(&message)) return *found;
      const auto* goodbye = std::get_if<Goodbye>(&message);
      if (goodbye == nullptr) continue;
      ADD_FAILURE() << "heard goodbye: " << goodbye->reason;
      return {};
    }
  }

 private:
  /// A server that is not ready yet asks to come again.
  static RawSocket welcomed(const Lan& lan) {
    for (int tries = 0; tries < 100; ++tries) {
      RawSocket socket(port_of(lan));
      socket.send(encode_frame(Hello{.client = 0, .kernel_set = kernel_set()}));
      if (std::holds_alternative<Welcome>(socket.receive())) return socket;
      ::usleep(50000);
    }
    throw std::runtime_error("not welcomed");
  }

  RawSocket socket_;
};

/// An update to the task that is right in all but what a test changes: no change, in every tensor.
UpdateMessage right_update(const TaskId& task, std::uint32_t digest = 0) {
  static const Federation federation = tiny_federation();
  const FederationPlan plan = federation.plan();
  static Bytes delta;
  delta.clear();
  const FloatBuffer zeros(plan.layout->size(), 0.0F);
  plan.uplink->encode(*plan.layout, plan.uploaded, zeros, {}, delta);
  UpdateMessage update;
  update.id = task;
  update.layout = plan.layout->digest();
  update.digest = digest;
  update.examples = 10;
  update.steps = 2;
  update.tensors.assign(plan.uploaded.begin(), plan.uploaded.end());
  update.loss = 1;
  update.delta = delta;
  return update;
}

/// The round's only client is hostile: what it sends is refused with a reason, counted, and ends its round.
TEST(HostileLan, UpdatesThatAreWrongAreRefusedWithTheReason) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  struct Wrong {
    const char* reason;
    std::function<void(UpdateMessage&, Bytes&)> spoil;
  };
  const auto put_scale = [](float scale) {  // the first four bytes of a weight's code
    return [scale](UpdateMessage&, Bytes& delta) { std::memcpy(delta.data(), &scale, sizeof scale); };
  };
  const std::vector<Wrong> wrongs = {
      {"layout of another network", [](UpdateMessage& update, Bytes&) { ++update.layout; }},
      {"no examples", [](UpdateMessage& update, Bytes&) { update.examples = 0; }},
      {"no steps", [](UpdateMessage& update, Bytes&) { update.steps = 0; }},
      {"loss: a value is not finite", [](UpdateMessage& update, Bytes&) { update.loss = kNan; }},
      {"loss: a value is not finite", [](UpdateMessage& update, Bytes&) { update.loss = -kInfinity; }},
      {"loss: a weighted value is out of range", [](UpdateMessage& update, Bytes&) { update.loss = 1e300; }},
      {"names a tensor that is not uploaded",
       [](UpdateMessage& update, Bytes&) { update.tensors.back() = 4000000000U; }},
      {"a tensor's steps are not within the steps taken",
       [](UpdateMessage& update, Bytes&) {
         update.shares = {{update.tensors.back(), 0xffffffffU}};
         update.tensors.pop_back();
       }},
      {"", put_scale(std::numeric_limits<float>::quiet_NaN())},
      {"", put_scale(std::numeric_limits<float>::infinity())},
      {"", put_scale(-1.0F)},
      {"", [](UpdateMessage&, Bytes& delta) { delta.pop_back(); }},
      {"", [](UpdateMessage&, Bytes& delta) { delta.clear(); }},
  };
  Lan lan({"data.clients=1", "federation.cohort=1", "federation.rounds=1",
           "federation.give_up=" + std::to_string(wrongs.size() + 1)},
          1);
  lan.start_server();
  lan.wait_for_word("rounds are done");
  HostileClient client(lan);
  for (const Wrong& wrong : wrongs) {
    const Offer offer = client.receive<Offer>();
    client.send(Accept{offer.id});
    EXPECT_EQ(client.receive<TaskMessage>().id, offer.id);
    UpdateMessage update = right_update(offer.id, offer.digest);
    Bytes delta = bytes_of(update.delta);
    wrong.spoil(update, delta);
    update.delta = delta;
    client.send(update);
    const Reject reject = client.receive<Reject>();
    EXPECT_EQ(reject.id, offer.id);
    EXPECT_NE(reject.reason.find(wrong.reason), std::string::npos) << reject.reason;
    EXPECT_FALSE(reject.reason.empty());
  }
  lan.start_client(0);  // a real one, with what a replay makes again
  const Outcome server = lan.end_of_server();
  EXPECT_NE(server.error.find("answers refused: " + std::to_string(wrongs.size())), std::string::npos) << server.error;
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(HostileLan, WhoClaimsAbsurdWeightLosesItsRoundAndNobodyWaits) {
  Lan lan({"federation.cohort=20", "federation.rounds=1"});
  lan.start_server();
  lan.wait_for_word("rounds are done");
  HostileClient client(lan);
  lan.start_clients(1, 20);
  const Offer offer = client.receive<Offer>();
  UpdateMessage update = right_update(offer.id, offer.digest);
  update.examples = 0xffffffffU;
  client.send(update);
  EXPECT_EQ(client.receive<Reject>().reason.find("claims 4294967295 examples and has "), 0U);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(lan.folder().read("server/run/metrics.jsonl").find(R"("clients": 19, "failed": 1)"), std::string::npos);
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

/// Everything that needs no right to be heard, while an honest round goes on: garbage, wrong rounds and runs, tasks
/// that were never offered, half-open connections, half a large upload.
TEST(HostileLan, HarmBesideAnHonestRunLeavesNoTrace) {
  Lan lan({"federation.cohort=20", "federation.rounds=3"});
  lan.start_server();
  lan.wait_for_word("rounds are done");
  std::vector<RawSocket> half_open;
  for (int i = 0; i < 200; ++i) half_open.emplace_back(port_of(lan));
  for (int i = 0; i < 50; ++i) RawSocket(port_of(lan)).send(Bytes(5000, static_cast<std::uint8_t>(i)));
  {
    HostileClient client(lan);  // no client of its own has come yet: it plays client 0 until that does
    const TaskId task = client.receive<Offer>().id;
    const auto refused = [&](const TaskId& id, const std::string& reason) {
      client.send(right_update(id));
      EXPECT_EQ(client.receive<Reject>().reason, reason);
    };
    refused({task.run + 1, task.round, 0}, "of another run");
    refused({task.run, task.round + 1, 0}, "of a round that has not begun");
    refused(task, "of other parameters");  // as of a server that lost a checkpoint; it has the task still
    client.send(Accept{{task.run, task.round + 1, 0}});
    EXPECT_EQ(client.receive<Reject>().reason, "late");
    client.send(Decline{{task.run, task.round + 1, 0}, "never offered"});
    client.send(Accept{task});
    client.send(Accept{task});  // one task, however often it is asked for
    EXPECT_EQ(client.receive<TaskMessage>().id, task);
    client.send(Heartbeat{});
    client.receive<Heartbeat>();
    client.send(Goodbye{"enough"});
  }
  lan.start_clients(0, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.error.find("connections that ended before they had joined: "), std::string::npos) << server.error;
  EXPECT_NE(server.error.find("that broke the rules: 50"), std::string::npos) << server.error;
  EXPECT_NE(server.error.find("answers refused: 3"), std::string::npos) << server.error;
  EXPECT_EQ(lan.simulated_model(), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

}  // namespace
}  // namespace anybit
