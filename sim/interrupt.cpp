#include "sim/interrupt.h"

#include <csignal>

namespace anybit {
namespace {

volatile std::sig_atomic_t asked = 0;  // the one thing that a signal handler may write

extern "C" void remember_signal(int) { asked = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return asked != 0; }

}  // namespace anybit
