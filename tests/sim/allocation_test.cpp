// Playing a client allocates nothing of ours after the first (DESIGN D2). Every operator new is replaced here and its
// callers remembered; only those from inside oneDNN's library do not count, whose execute makes a few small ones.
#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <numeric>
#include <string>
#include <string_view>

#include "sim/players.h"
#include "tests/server/tiny_scenario.h"

namespace {

std::atomic<bool> watching = false;
std::atomic<std::size_t> seen = 0;

/// Who called operator new, and who called that one; innermost first, null where the stack is shorter.
struct Callers {
  const void* direct;
  std::array<void*, 20> stack;
};
std::array<Callers, 100000> callers;

void remember(const void* direct) {
  Callers& now = callers.at(seen++);
  now = {direct, {}};
  ::backtrace(now.stack.data(), static_cast<int>(now.stack.size()));
}

/// Null where there is no memory.
void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (watching) remember(caller);
  void* memory = nullptr;
  return ::posix_memalign(&memory, alignment, size == 0 ? 1 : size) == 0 ? memory : nullptr;
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  return or_throw(allocate(size, alignof(std::max_align_t), __builtin_return_address(0)));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0)));
}
// std::stable_sort takes this one: a sanitizer's own would not pair with the operators below.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t), __builtin_return_address(0));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace anybit {
namespace {

Dl_info place_of(const void* caller) {
  Dl_info place{};
  ::dladdr(caller, &place);
  return place;
}

bool is_of_the_standard_library(const void* caller) {
  const char* name = place_of(caller).dli_sname;
  const std::string_view symbol = name == nullptr ? "" : name;
  return std::ranges::any_of(std::array{"_ZSt", "_ZNSt", "_ZNKSt", "_ZNSa", "_ZNSs", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx"},
                             [&](const char* prefix) { return symbol.starts_with(prefix); });
}

/// Who wanted the memory: the first caller outside the standard library, whose functions stand between or are inlined,
/// as the optimisation likes.
const void* who_wanted(const Callers& of) {
  const auto known = std::ranges::find(of.stack, of.direct);
  const auto wanted = std::find_if_not(known, of.stack.end(), is_of_the_standard_library);
  return wanted == of.stack.end() || *wanted == nullptr ? of.direct : *wanted;
}

/// "library: function" of a caller; the program exports its symbols for this.
std::string name_of(const void* caller) {
  const Dl_info place = place_of(caller);
  if (place.dli_fname == nullptr) return "unknown";
  const char* symbol = place.dli_sname ? place.dli_sname : "?";
  int status = 0;
  char* plain = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  const std::string name = std::string(place.dli_fname) + ": " + (plain ? plain : symbol);
  std::free(plain);
  return name;
}

bool is_onednn(const std::string& name) {
  const std::string library = name.substr(0, name.find(": "));
  return library.find("libdnnl.so") != std::string::npos;
}

/// Those whose allocations count, with how often.
std::map<std::string, int> our_callers() {
  std::map<std::string, int> ours;
  for (std::size_t i = 0; i < seen; ++i)
    if (const std::string name = name_of(who_wanted(callers.at(i))); !is_onednn(name)) ++ours[name];
  return ours;
}

/// All clients, those with few examples first.
std::vector<std::uint32_t> smallest_first(const FederatedData& data) {
  std::vector<std::uint32_t> order(data.clients);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return data.examples(a) < data.examples(b); });
  return order;
}

/// Who allocates while `clients` clients are played one after the other, after a first one, which is the smallest;
/// their batches are cut into so many chunks.
std::map<std::string, int> allocations(const std::vector<std::string>& settings, std::uint32_t clients,
                                       std::uint32_t chunks) {
  const Federation federation = tiny_federation(settings);
  const std::unique_ptr<Transport> transport = make_memory_transport(1);
  Players players(federation, *transport, 1);
  const FederationState state = federation.first_state();
  auto encoded = std::make_shared<Bytes>();
  federation.training.downlink->encode(*federation.training.layout, federation.training.broadcast, state.global.values,
                                       {}, *encoded);
  DueAnswer due;
  due.task = make_cohort_task(federation.training,
                              {.task = {federation.run, 0, 0}, .parameters = encoded, .digest = crc32c(*encoded)});
  due.chunks = chunks;
  ReceivedUpdate update;
  due.update = &update;
  DueAnswer* const wave[] = {&due};
  const std::vector<std::uint32_t> order = smallest_first(*federation.data);
  for (std::uint32_t played = 0; played <= clients; ++played) {
    due.client = order[played % order.size()];
    if (played == 1) {
      seen = 0;
      watching = true;
    }
    players.play(wave);
    EXPECT_EQ(due.lost, "");
  }
  watching = false;
  return our_callers();
}

TEST(Allocation, CountsOurOwn) {
  watching = true;
  seen = 0;
  const auto box = std::make_unique<std::array<int, 100>>();
  watching = false;
  EXPECT_NE(box, nullptr);
  EXPECT_EQ(our_callers().size(), 1U);
}

struct Setup {
  std::string name;
  std::vector<std::string> settings;
  std::uint32_t chunks = 1;
};

class Playing : public testing::TestWithParam<Setup> {};

TEST_P(Playing, AHundredClientsAllocatesNothingAfterTheFirst) {
  EXPECT_EQ(allocations(GetParam().settings, 100, GetParam().chunks), (std::map<std::string, int>{}));
}

TEST(Clients, OfTheDirichletSetupDifferInSize) {
  const Federation federation = tiny_federation({"data.partition.alpha=0.1"});
  const std::vector<std::uint32_t> order = smallest_first(*federation.data);
  EXPECT_GT(federation.data->examples(order.back()), 4 * federation.data->examples(order.front()));
}

/// All but `sizes` and `writer` deal out alike; the tiny scenario is mqat with 8-bit activations on an mlp.
std::vector<Setup> setups() {
  std::vector<Setup> all = {
      {"mqat", {}},
      {"joint", {"training.method.name=joint"}},
      {"kure_adam_fedprox",
       {"training.method.name=kure", "training.optimizer.name=adam", "training.objective.name=fedprox"}},
      {"apqn", {"training.method.name=apqn"}},
      {"momentum", {"training.optimizer.momentum=0.9"}},
      {"mse", {"training.method.range=mse"}},
      {"percentile", {"training.method.range=percentile"}},
      {"learned", {"training.method.range=learned"}},
      {"channel", {"training.method.granularity=channel"}},
      {"channel_mse", {"training.method.granularity=channel", "training.method.range=mse"}},
      {"channel_percentile", {"training.method.granularity=channel", "training.method.range=percentile"}},
      {"channel_learned", {"training.method.granularity=channel", "training.method.range=learned"}},
      {"step_layer", {"training.method.sampling=step_layer"}},
      {"device", {"training.method.sampling=device"}},
      {"stochastic", {"training.method.rounding=stochastic"}},
      {"coded_downlink", {"federation.downlink.name=uniform"}},
      {"logistic", {"model.name=logistic"}},
      {"lenet", {"model.name=lenet"}},
      {"cnn", {"model.name=cnn", "data.examples=4"}},
      {"resnet8", {"model.name=resnet8", "data.examples=4"}},
      {"resnet20_bn", {"model.name=resnet20-bn", "data.examples=4", "training.batch=4"}},
      {"cut", {"training.method.activations=32", "training.method.range=learned"}, 4},
      {"cut_fitted", {"training.method.activations=32", "training.method.range=mse"}, 3},
  };
  for (Setup& setup : all) setup.settings.insert(setup.settings.begin(), "data.partition.name=iid");
  all.push_back({"writer", {"data.partition.name=writer", "training.method.name=fedavg"}});
  all.push_back({"sizes", {"data.partition.alpha=0.1"}});
  all.push_back({"sizes_fitted", {"data.partition.alpha=0.1", "training.method.range=mse", "model.name=lenet"}});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Setups, Playing, testing::ValuesIn(setups()),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace anybit
