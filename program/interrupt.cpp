#include "program/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace anybit {
namespace {

std::atomic<bool> asked = false;
static_assert(std::atomic<bool>::is_always_lock_free, "only then may a signal handler write it");

std::atomic<const char*> told = "";
static_assert(std::atomic<const char*>::is_always_lock_free);

/// Tells at once, because a client may take long: write() may be called by a signal handler. Where nobody reads, nobody
/// is told.
extern "C" void remember_signal(int) {
  asked = true;
  const int before = errno;
  const char* const text = told;
  for (const char* piece : {"\n", text, "\n"})
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, piece, std::strlen(piece));
  errno = before;
}

}  // namespace

void catch_interrupts(const char* heard) {
  told = heard;
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
