#include "sim/recorded_run.h"

#include <utility>

namespace anybit {

RecordedRun::RecordedRun(const Federation& federation, RunDirectory directory, FederationState start,
                         std::string kernels, int threads, const ClientStateReader* client_states)
    : federation_(federation),
      recorder_(federation, directory, std::move(kernels), start, threads, WhoTrains::kThisProcess),
      run_(federation, std::move(start), threads, [this](const LoggedEvent& event) { recorder_.event(event); },
           {client_states, directory.path().string()}) {}

bool RecordedRun::run(const std::function<bool()>& stop, Progress& progress) {
  try {
    if (!run_rounds(stop, progress)) {
      recorder_.save_what_is_kept(&run_.client_states());
      return false;
    }
  } catch (const TransportError&) {
    recorder_.keep(state());
    recorder_.save_what_is_kept(&run_.client_states());
    throw;
  }
  return recorder_.finish(run_.state(), stop);
}

bool RecordedRun::run_rounds(const std::function<bool()>& stop, Progress& progress) {
  const auto rounds = static_cast<std::uint32_t>(federation_.scenario.federation.rounds);
  while (run_.version() < rounds) {
    // What a resume goes on from, should the evaluation be cut: the round is then trained and measured again.
    if (recorder_.measures(run_.version() + 1)) recorder_.keep(state());
    std::optional<RoundRecord> record = run_.next_round(stop);
    if (!record) {
      recorder_.keep(state());
      return false;
    }
    if (!recorder_.evaluate(*record, run_.global(), stop)) return false;
    recorder_.conclude(*record);
    if (recorder_.checkpoint_is_due(run_.version())) recorder_.save(state(), &run_.client_states());
    progress.round(*record);
    // Where nobody plays, as all drop out, say, nobody else asks.
    if (record->report.abandoned && stop && stop()) {
      recorder_.keep(state());
      return false;
    }
  }
  return true;
}

}  // namespace anybit
