// The turn of a round: what is measured, and what is on the disk before anybody hears of the next one.
#include <algorithm>
#include <cassert>
#include <future>
#include <limits>
#include <utility>

#include "server/federation_server.h"

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kEvaluationTurn{20};

}  // namespace

bool FederationServer::commit(const RoundReport& report, const Stop& stop) {
  const FederationState& state = coordinator_.state();
  assert(report.round == state.round);  // or the checkpoint would hold more than the lines that it promises
  RoundRecord record;
  record.report = report;
  if (report.clients == 0) record.report.train_loss = std::numeric_limits<double>::quiet_NaN();  // of nobody
  record.seconds = std::chrono::duration<double>(Clock::now() - round_begin_).count();
  record.bytes_down = std::exchange(bytes_down_, 0);
  record.bytes_up = std::exchange(bytes_up_, 0);
  counts_.bytes_down += record.bytes_down;
  counts_.bytes_up += record.bytes_up;
  record.failures = std::exchange(failures_, {});
  updates_ = 0;
  const auto has_it = [](const auto& delivery) { return delivery.second.phase == Phase::kSent; };
  anybody_works_ = std::ranges::any_of(deliveries_, has_it);
  // Nothing that arrives meanwhile moves the state: new tasks are offered to nobody yet, what is said of others waits.
  begin_commit();
  if (recorder_.measures(report) && !serve_during([&] { return recorder_.evaluate(record, state.global, stop); }))
    return false;
  recorder_.conclude(record);
  recorder_.save(state);
  committing_ = false;
  run_clock();
  pace_.note_round();
  tell_phase("committed");
  progress_.round(record);
  remember(std::move(record));
  round_begin_ = Clock::now();
  return true;
}

/// Writes the model, which may have to be measured before. False where `stop` said so.
bool FederationServer::finish(const Stop& stop) {
  begin_commit();
  if (!serve_during([&] { return recorder_.finish(coordinator_.state(), stop); })) return false;
  tell_phase("over");
  return true;
}

void FederationServer::begin_commit() {
  committing_ = true;
  stop_clock();
  tell_phase("committing");
}

/// Has another thread do what takes long, and serves the sessions meanwhile.
bool FederationServer::serve_during(const std::function<bool()>& work) {
  sessions_.free_spares();
  std::future<bool> done = std::async(std::launch::async, work);
  for (; done.wait_for(std::chrono::seconds(0)) != std::future_status::ready; settings_.on_turn())
    sessions_.poll(kEvaluationTurn);
  return done.get();
}

}  // namespace anybit
