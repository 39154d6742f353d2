#include "sim/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace anybit {
namespace {

std::atomic<bool> asked = false;
static_assert(std::atomic<bool>::is_always_lock_free, "only then may a signal handler write it");

constexpr char kHeard[] = "\nanybit-sim: ending when the clients at work are done; a second Ctrl-C quits at once\n";

/// Tells at once, because a client may take long: write() may be called by a signal handler. Where nobody reads, nobody
/// is told.
extern "C" void remember_signal(int) {
  asked = true;
  const int before = errno;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kHeard, sizeof(kHeard) - 1);
  errno = before;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before = {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

void ignore_closed_pipes() { std::signal(SIGPIPE, SIG_IGN); }

bool interrupted() { return asked; }

}  // namespace anybit
