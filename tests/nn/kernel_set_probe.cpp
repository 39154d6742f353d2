// For kernel_set_test: pins what its arguments name, one after the other, and prints the kernel set. The pin is per
// process. "use" stands for the first use of oneDNN. Exits 3 and prints the reason where a pin is refused.

#include <cstdio>
#include <stdexcept>
#include <string>

#include "nn/kernel_set.h"

int main(int argc, char** argv) {
  try {
    for (int i = 1; i < argc; ++i) {
      const std::string name = argv[i];
      if (name == "use") {
        anybit::kernel_set();
      } else {
        anybit::pin_instruction_set(name);
      }
    }
    std::printf("%s\n", anybit::kernel_set().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 3;
  }
}
