#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "nn/buffer.h"

namespace anybit {

/// The disk that holds what clients keep fails; what() says where, why and what to do.
class StateSlotError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class StateSlots;

/// A place for one state of floats, or none, which reads as zeros. It is free again when it is destroyed.
class StateSlot {
 public:
  StateSlot() = default;
  StateSlot(StateSlot&& other) noexcept;
  StateSlot& operator=(StateSlot&& other) noexcept;
  ~StateSlot();

  explicit operator bool() const { return slots_ != nullptr; }
  /// Both throw StateSlotError, and take as many floats as a state has.
  void read(std::span<float> values) const;
  void write(std::span<const float> values);

 private:
  friend class StateSlots;

  StateSlots* slots_ = nullptr;
  float* memory_ = nullptr;  // where it lies there
  std::uint64_t place_ = 0;  // else in the file, in states
};

/// Room for any number of states of one size: as many in memory as the limit allows, the rest in a file without a name,
/// which goes with this object or with the process, however it ends. A slot is for one thread at a time; all slots are
/// for all threads. Which slot a state gets, and whether it lies in memory, reaches no result.
class StateSlots {
 public:
  /// `floats` of each, 1 at least; `memory`: bytes of states that stay there; `folder`: of the file, empty for the
  /// system's folder of temporary files ($TMPDIR). The file is there once a state needs it.
  explicit StateSlots(std::size_t floats, std::uint64_t memory = std::numeric_limits<std::uint64_t>::max(),
                      std::string folder = {});
  ~StateSlots();
  StateSlots(const StateSlots&) = delete;
  StateSlots& operator=(const StateSlots&) = delete;

  std::size_t floats() const { return floats_; }
  /// A free one; what it holds is anybody's. Throws StateSlotError where the file cannot be made.
  StateSlot take();

  /// Slots that were made so far: taken, or free again.
  std::size_t in_memory() const { return memory_.size(); }
  std::uint64_t on_disk() const { return places_; }

 private:
  friend class StateSlot;

  void give_back(const StateSlot& slot) noexcept;
  void open_file();
  void read_file(std::uint64_t place, std::span<float> values) const;
  void write_file(std::uint64_t place, std::span<const float> values) const;
  [[noreturn]] void fail(const char* step, int error) const;

  std::size_t floats_;
  std::uint64_t most_in_memory_;
  std::string folder_;
  int file_ = -1;
  std::mutex mutex_;  // of what follows
  std::deque<FloatBuffer> memory_;
  std::vector<float*> free_memory_;
  std::uint64_t places_ = 0;
  std::vector<std::uint64_t> free_places_;
};

}  // namespace anybit
