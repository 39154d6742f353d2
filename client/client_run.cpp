#include "client/client_run.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "program/exit_code.h"
#include "wire/task_memory.h"

namespace anybit {
namespace {

constexpr const char* kNoMemory = "there is not enough memory for it";

LocalData load(const Scenario& scenario, const ParticipantSettings& settings) {
  if (!settings.shard) return LocalData(scenario, settings.data);
  if (settings.shard->clients != scenario.data.clients)
    throw CommandError(fmt::format("--shard {}/{}: the server's scenario has {} clients", settings.shard->client,
                                   settings.shard->clients, scenario.data.clients));
  if (settings.data.folder.empty()) return LocalData(scenario, settings.shard->client, settings.data_directories);
  check_format(scenario, settings.data);
  return LocalData(scenario, settings.shard->client, {settings.data.folder}, true);
}

}  // namespace

ClientRun::ClientRun(const Welcome& welcome, const ParticipantSettings& of)
    : settings(of),
      run(welcome.run),
      scenario(parse_scenario_within(welcome.scenario, "the server's scenario")),
      data(load(scenario, settings)),
      plan(make_plan(scenario, data.shape(), data.classes())),
      client(settings.shard ? settings.shard->client : settings.client),
      fleet_(scenario.fleet, scenario.seed) {
  plan.largest_client = static_cast<std::uint32_t>(data.examples().size());
  if (data.examples().size() == 0) throw CommandError("there are no examples here to train on");
  widths_ = settings.widths.empty() ? fleet_.widths(client) : std::span(settings.widths);
  if (plan.method.refuse && !settings.widths.empty())
    if (const std::string reason = plan.method.refuse(*plan.network, settings.widths); !reason.empty())
      throw CommandError(
          fmt::format("--widths: the server's scenario trains by method '{}': {}", plan.method.name, reason));
  if (const std::size_t floats = client_floats(plan.method, *plan.layout); floats > 0)
    state_file.emplace(settings.state_folder, run, client, floats);
  refusal_ = refuse_run();
}

/// Why no task of this run is taken, by what it needs; "" where that is not known before the offer.
std::string ClientRun::refuse_run() {
  const TaskLimits& limits = settings.limits;
  if (std::string reason = refuse_method(limits, plan.method.name); !reason.empty()) return reason;
  cost_.bytes = least_task_bytes(plan);
  if (std::string reason = refuse_bytes(limits, cost_.bytes); !reason.empty()) return reason;
  if (limits.memory == 0 && limits.seconds == 0) return "";
  try {
    cost_ = measure_task(plan, data.examples(), data.normalization(), widths_);
  } catch (const std::bad_alloc&) {
    return kNoMemory;
  }
  return refuse_seconds(limits, cost_.seconds);
}

std::string ClientRun::refuse(const Offer& offer) const {
  const Part& method = scenario.training.method;
  if (offer.id.run != run || offer.id.client != client) return "it is of another run or client";
  if (offer.layout != plan.layout->digest()) return "its network is not the one of the scenario";
  if (offer.method != method.name || offer.options != options_text(method.options))
    return "its method is not the one of the scenario";
  if (!refusal_.empty()) return refusal_;
  if (std::string reason = refuse_size(offer); !reason.empty()) return reason;
  return state_file && !state.has(offer.counted) && !settings.fresh_state ? state.lacks(offer.counted) : "";
}

std::string ClientRun::refuse_size(const Offer& offer) const {
  std::string reason = plan.downlink->check_size(*plan.layout, plan.broadcast, offer.parameters);
  if (!reason.empty()) return "its parameters: " + reason;
  return refuse_bytes(settings.limits, cost_.bytes + message_bytes(plan, offer) + chunk_bytes(plan, cost_, offer));
}

std::string ClientRun::name_of(const TaskId& task) const {
  const bool in_rounds = scenario.federation.aggregation.name == "synchronous";
  return (in_rounds ? "round " : "task ") + std::to_string(task.round + 1);
}

std::string ClientRun::start(const TaskMessage& task, FloatBuffer kept) {
  try {
    if (!job) job = std::make_unique<TrainingJob>(plan, data, widths_, settings.threads);
    job->start(task, std::move(kept));
  } catch (const std::bad_alloc&) {
    return kNoMemory;
  } catch (const std::exception& failure) {  // no more threads, say
    return failure.what();
  }
  return "";
}

std::string differs(const TaskMessage& task, const Offer& offer) {
  const auto other = [](const char* what) { return fmt::format("its {} not what was offered", what); };
  if (task.id != offer.id) return other("name is");
  if (task.layout != offer.layout) return other("network is");
  if (task.chunks != offer.chunks) return other("chunks are");
  if (task.counted != offer.counted) return other("state is");
  if (task.parameters.size() != offer.parameters || crc32c(task.parameters) != offer.digest)
    return other("parameters are");
  return "";
}

}  // namespace anybit
