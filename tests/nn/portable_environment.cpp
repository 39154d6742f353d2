// Linked into the tests of the portable kernels: pins them before the first test, because a process computes with one
// set only.

#include <gtest/gtest.h>

#include "nn/kernel_set.h"

namespace anybit {
namespace {

class PinPortable final : public testing::Environment {
 public:
  void SetUp() override {
    pin_instruction_set("portable");
    ASSERT_TRUE(kernel_set().starts_with("portable anybit-")) << kernel_set();
  }
};

[[maybe_unused]] const auto* const pinned = testing::AddGlobalTestEnvironment(new PinPortable);

}  // namespace
}  // namespace anybit
