// Counts every allocation of this test program; programs must make none after their first client.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/quant/slot_fixture.h"

namespace {

std::atomic<long> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size, 16); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace anybit {
namespace {

// Three local steps, every slot forward and backward.
void play(Played& played, std::vector<std::vector<float>>& after, std::vector<float>& gradient) {
  played.program->begin_client(played.parameters.values);
  for (std::uint32_t step = 0; step < 3; ++step) {
    played.begin(step);
    for (const SlotSite& site : played.network->slots()) {
      std::vector<float>& out = after[static_cast<std::size_t>(site.slot)];
      const std::span<const float> before = site.kind == SlotKind::kWeight
                                                ? std::as_const(played.parameters).tensor(site.tensor)
                                                : std::span<const float>(played.parameters.values).first(site.size);
      SlotPass pass = played.pass();
      if (played.program->forward(site, before, out, pass))
        played.program->backward(site, before, out, std::span(gradient).first(site.size), pass);
    }
  }
}

TEST(SlotPrograms, AllocateNothingAfterTheirFirstClient) {
  for (const char* name : {"qat", "mqat", "apqn"})
    for (const char* range : {"minmax", "mse", "percentile", "learned"})
      for (const char* granularity : {"tensor", "channel"}) {
        const bool is_apqn = std::string(name) == "apqn";
        if (is_apqn && std::string(range) == "learned") continue;  // refused
        Part part =
            method_part(name, {{"range", range}, {"granularity", granularity}, {"activations", std::int64_t{8}}});
        if (!is_apqn) part.options.set("rounding", std::string("stochastic"));
        Played played(part);
        std::vector<std::vector<float>> after;
        for (const SlotSite& site : played.network->slots()) after.emplace_back(site.size);
        std::vector<float> gradient(200, 1.0F);
        play(played, after, gradient);
        const long before = allocations;
        for (std::uint32_t client = 0; client < 3; ++client) {
          played.moment.draw.client = client;  // other widths than the first client drew
          play(played, after, gradient);
        }
        EXPECT_EQ(allocations - before, 0) << name << " " << range << " " << granularity;
      }
}

}  // namespace
}  // namespace anybit
