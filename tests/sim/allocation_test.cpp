// Playing a client allocates nothing of ours after the first (DESIGN D2). Every operator new is replaced here; only
// calls from this program's own code count, because oneDNN's execute makes a few small ones of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "sim/players.h"
#include "tests/sim/tiny_scenario.h"

extern "C" const char __executable_start;
extern "C" const char etext;

namespace {

std::atomic<bool> watching = false;
std::atomic<std::size_t> seen = 0;

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
  if (watching && caller >= &__executable_start && caller < &etext) ++seen;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t), __builtin_return_address(0)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace anybit {
namespace {

/// Calls of operator new while `clients` clients are played one after the other, after a first one of each size.
std::size_t allocations(const std::vector<std::string>& settings, std::uint32_t clients) {
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
  return seen;
}

TEST(Allocation, CountsOurOwn) {
  watching = true;
  seen = 0;
  const auto box = std::make_unique<std::array<int, 100>>();
  watching = false;
  EXPECT_NE(box, nullptr);
  EXPECT_EQ(seen, 1U);
}

class Playing : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Playing, AHundredClientsAllocatesNothingAfterTheFirst) { EXPECT_EQ(allocations(GetParam(), 100), 0U); }

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
