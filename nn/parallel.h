#pragma once

#include <cstddef>
#include <functional>

namespace anybit {

/// The one place where threads are made (DESIGN D3): runs body(item, worker) for every item in [0, items), on
/// `threads` workers, items handed out in order as workers come free. worker is in [0, threads). Inside, OpenMP is set
/// to one thread, so oneDNN primitives made or run there are single-threaded. After an exception of a body no further
/// items are started; once all workers have stopped, the one of the lowest item that threw is thrown here. A call
/// inside a body runs on that worker alone. Carries the marks that let ThreadSanitizer see libgomp's synchronisation.
void parallel_for(std::size_t items, int threads, const std::function<void(std::size_t item, int worker)>& body);

/// Keeps OpenMP, and so oneDNN, at one thread in the calling thread while it lives (specs E, trap 2).
class SingleThreadScope {
 public:
  SingleThreadScope();
  ~SingleThreadScope();
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  int before_;
};

/// How many threads this machine offers.
int hardware_threads();

}  // namespace anybit
