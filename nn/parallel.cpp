#include "nn/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

// libgomp is not built with ThreadSanitizer, which therefore cannot see that a team starts after everything before it
// and ends before everything after it. The marks say so; what happens inside a team stays unmarked, so that a race
// between two items is still reported.
#if defined(__SANITIZE_THREAD__)
extern "C" {
void __tsan_acquire(void* mark);
void __tsan_release(void* mark);
}
#define ANYBIT_TSAN_ACQUIRE(mark) __tsan_acquire(&(mark))
#define ANYBIT_TSAN_RELEASE(mark) __tsan_release(&(mark))
#else
#define ANYBIT_TSAN_ACQUIRE(mark) static_cast<void>(mark)
#define ANYBIT_TSAN_RELEASE(mark) static_cast<void>(mark)
#endif

namespace anybit {
namespace {

// Addresses only. Static, because a worker passes them before it may read anything that the caller wrote.
char fork_mark;
char join_mark;

/// True while the calling thread runs a body; OpenMP itself only knows of teams of two or more.
thread_local bool inside_a_body = false;

/// One run of parallel_for, shared by its workers.
struct Team {
  std::size_t items;
  const std::function<void(std::size_t, int)>& body;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex = {};
  std::size_t failed_item = 0;
  std::exception_ptr failure = nullptr;

  void note_failure(std::size_t item) {
    const std::lock_guard lock(mutex);
    if (failure == nullptr || item < failed_item) {
      failed_item = item;
      failure = std::current_exception();
    }
    failed = true;
  }

  void work(int worker) {
    const bool before = std::exchange(inside_a_body, true);
    work_through(worker);
    inside_a_body = before;
  }

 private:
  void work_through(int worker) {
    while (!failed) {
      const std::size_t item = next.fetch_add(1, std::memory_order_relaxed);
      if (item >= items) return;
      try {
        body(item, worker);
      } catch (...) {
        note_failure(item);
      }
    }
  }
};

[[gnu::noinline]] void run_worker(Team& team) {
  const SingleThreadScope one_thread;
  team.work(omp_get_thread_num());
}

// Not instrumented: the compiler hands `team` to the workers in a block of its own, filled after the first mark.
[[gnu::noinline, gnu::no_sanitize("thread")]] void run_team(Team& team, int threads) {
  ANYBIT_TSAN_RELEASE(fork_mark);
#pragma omp parallel num_threads(threads)
  {
    ANYBIT_TSAN_ACQUIRE(fork_mark);
    run_worker(team);
    ANYBIT_TSAN_RELEASE(join_mark);
  }
  ANYBIT_TSAN_ACQUIRE(join_mark);
}

}  // namespace

void parallel_for(std::size_t items, int threads, const std::function<void(std::size_t item, int worker)>& body) {
  Team team{.items = items, .body = body};
  const std::size_t workers = inside_a_body ? 1 : static_cast<std::size_t>(std::max(threads, 1));
  const std::size_t useful = std::min(items, workers);
  if (useful <= 1) {
    const SingleThreadScope one_thread;
    team.work(0);
  } else {
    run_team(team, static_cast<int>(useful));
  }
  if (team.failure != nullptr) std::rethrow_exception(team.failure);
}

SingleThreadScope::SingleThreadScope() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
SingleThreadScope::~SingleThreadScope() { omp_set_num_threads(before_); }

int hardware_threads() { return std::max(1, omp_get_num_procs()); }

}  // namespace anybit
