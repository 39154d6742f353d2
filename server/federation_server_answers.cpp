// What clients say of tasks: Accept, Decline, Update. Whether anybody waits for it is in the deliveries.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "server/federation_server.h"

namespace anybit {

void FederationServer::arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
                               Bytes& storage) {
  bytes_up_ += frame.size();
  const Hello* hello = roster_.hello(connection);
  if (hello == nullptr) return;
  ClientAnswer whose{connection, *hello, frame_crc(frame)};
  if (is_busy() && delivery_of(*task_of_answer(message)) != nullptr)
    postponed_.keep(std::move(whose), message, storage);
  else
    take_answer(whose, message);
}

void FederationServer::take_answer(const ClientAnswer& whose, const Message& message) {
  if (const auto* accept = std::get_if<Accept>(&message)) {
    take_accept(whose.connection, accept->id);
  } else if (const auto* decline = std::get_if<Decline>(&message)) {
    take_decline(*decline);
  } else if (const auto* update = std::get_if<UpdateMessage>(&message)) {
    take_update(whose, *update);
  }
}

void FederationServer::take_accept(ConnectionId connection, const TaskId& id) {
  Delivery* delivery = delivery_of(id);
  if (delivery == nullptr) {
    ++counts_.late;
    send(connection, Reject{id, kLate});
  } else if (delivery->phase == Phase::kOffered && delivery->connection == connection) {
    send_task(*delivery);
  }
}

void FederationServer::take_decline(const Decline& decline) {
  if (delivery_of(decline.id) != nullptr) give_up(decline.id.client, "declines: " + decline.reason);
}

/// Given by the coordinator, and known to nobody yet.
bool FederationServer::is_to_be_offered(const TaskId& id) const {
  return std::ranges::any_of(actions_, [&](const Action& action) {
    const auto* task = std::get_if<SendTask>(&action);
    return task != nullptr && task->task == id;
  });
}

void FederationServer::take_update(const ClientAnswer& whose, const UpdateMessage& update) {
  const auto reject = [&](const std::string& reason) {
    ++counts_.refused;
    send(whose.connection, Reject{update.id, reason});
  };
  const std::uint32_t own = whose.hello.examples;
  const std::uint32_t most =
      own > 0 ? std::min(own, settings_.most_examples) : federation_.data->examples(update.id.client);
  if (update.examples > most) {
    const std::string reason = fmt::format("claims {} examples and has {}", update.examples, most);
    reject(reason);
    if (delivery_of(update.id) != nullptr) give_up(update.id.client, reason);
  } else if (is_to_be_offered(update.id)) {
    reject("no such task was offered");
  } else {
    take_possible(whose, update);
  }
}

/// Into the log goes what a replay can do again. It has not the bytes of an update that is refused, which for the round
/// is the loss of its client; and one that nobody waits for (a double, a late one, one of other parameters) changes
/// nothing.
void FederationServer::take_possible(const ClientAnswer& whose, const UpdateMessage& update) {
  const bool awaited = delivery_of(update.id) != nullptr;
  const std::uint32_t round = coordinator_.progress().round;
  const double time = now();
  const std::vector<int> widths(whose.hello.widths.begin(), whose.hello.widths.end());
  const UpdateArrived arrived{update.id.client, &update, widths};
  handle(arrived, time);
  const auto* reject = answered_.empty() ? nullptr : std::get_if<SendReject>(&answered_.front());
  if (!awaited || (reject != nullptr && reject->reason == kOtherParameters)) return;
  if (reject == nullptr) note_maker(whose.hello, arrived.client, time, round);
  const Event event = reject == nullptr ? Event(arrived) : ClientLost{arrived.client, "refused: " + reject->reason};
  recorder_.event(describe(event, time, round, whose.crc));
  note_conclusions(time);
}

/// What a replay must know of who made an update that counts: once where it stays so. The log of a run that goes on may
/// have said something else.
void FederationServer::note_maker(const Hello& hello, std::uint32_t client, double time, std::uint32_t round) {
  recorder_.note_kernels(hello.kernel_set);
  const auto [logged, is_first] = widths_.try_emplace(client);
  const bool is_known = !is_first || first_time_ == 0;
  if (is_known && logged->second == hello.widths) return;
  logged->second = hello.widths;
  recorder_.event(describe(ClientJoined{client, hello.widths}, time, round, 0));
}

}  // namespace anybit
