// Playing a client allocates nothing of ours after the first (DESIGN D2). Every operator new is replaced here and its
// caller remembered; those of oneDNN do not count, in its library or inlined from its headers: execute() makes a few
// small ones of its own.
#include <cxxabi.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

#include "sim/players.h"
#include "tests/sim/tiny_scenario.h"

namespace {

std::atomic<bool> watching = false;
std::atomic<std::size_t> seen = 0;
std::array<const void*, 100000> callers;

/// Null where there is no memory.
void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (watching) callers.at(seen++) = caller;
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

/// "library: function" of a caller; the program exports its symbols for this.
std::string name_of(const void* caller) {
  Dl_info info{};
  if (::dladdr(caller, &info) == 0) return "unknown";
  const char* symbol = info.dli_sname ? info.dli_sname : "?";
  int status = 0;
  char* plain = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  const std::string name = std::string(info.dli_fname) + ": " + (plain ? plain : symbol);
  std::free(plain);
  return name;
}

/// The library itself; its headers; and the one function of ours into which the headers' execute() is inlined.
bool is_onednn(const std::string& name) {
  for (const char* place : {"libdnnl", ": dnnl::", ": anybit::Prepared::run("})
    if (name.find(place) != std::string::npos) return true;
  return false;
}

/// Callers that count, with how often.
std::map<std::string, int> our_callers() {
  std::map<std::string, int> ours;
  for (std::size_t i = 0; i < seen; ++i)
    if (const std::string name = name_of(callers.at(i)); !is_onednn(name)) ++ours[name];
  return ours;
}

/// Who allocates while `clients` clients are played one after the other, after a first one.
std::map<std::string, int> allocations(const std::vector<std::string>& settings, std::uint32_t clients) {
  const Federation federation = tiny_federation(settings);
  const std::unique_ptr<Transport> transport = make_memory_transport(1);
  Players players(federation, *transport, 1);
  const FederationState state = federation.first_state();
  auto encoded = std::make_shared<Bytes>();
  federation.training.downlink->encode(*federation.training.layout, federation.training.broadcast,
                                       state.global.values, {}, *encoded);
  DueAnswer due;
  due.task = make_task_message(federation.training, {0, {federation.run, 0, 0}, encoded});
  ReceivedUpdate update;
  due.update = &update;
  DueAnswer* const wave[] = {&due};
  for (std::uint32_t client = 0; client <= clients; ++client) {
    due.client = client % federation.data->clients;
    if (client == 1) {
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

class Playing : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Playing, AHundredClientsAllocatesNothingAfterTheFirst) {
  EXPECT_EQ(allocations(GetParam(), 100), (std::map<std::string, int>{}));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, Playing,
    testing::Values(std::vector<std::string>{"data.partition.name=iid"},  // mqat with quantized activations
                    std::vector<std::string>{"data.partition.name=writer", "training.method.name=fedavg"},
                    std::vector<std::string>{"data.partition.name=iid", "training.method.name=joint"},
                    std::vector<std::string>{"data.partition.name=iid", "training.method.name=kure",
                                             "training.optimizer.name=adam", "training.objective.name=fedprox"},
                    std::vector<std::string>{"data.partition.name=iid", "training.method.range=mse"},
                    std::vector<std::string>{"data.partition.name=iid", "model.name=lenet"}));

}  // namespace
}  // namespace anybit
