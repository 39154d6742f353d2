#include "sim/state_slots.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "program/durable_file.h"

namespace anybit {
namespace {

/// So that giving back needs no memory.
template <class Place>
void reserve_for(std::size_t slots, std::vector<Place>& free) {
  if (free.capacity() < slots) free.reserve(2 * slots);
}

}  // namespace

StateSlot::StateSlot(StateSlot&& other) noexcept
    : slots_(std::exchange(other.slots_, nullptr)), memory_(other.memory_), place_(other.place_) {}

StateSlot& StateSlot::operator=(StateSlot&& other) noexcept {
  if (this == &other) return *this;
  if (slots_ != nullptr) slots_->give_back(*this);
  slots_ = std::exchange(other.slots_, nullptr);
  memory_ = other.memory_;
  place_ = other.place_;
  return *this;
}

StateSlot::~StateSlot() {
  if (slots_ != nullptr) slots_->give_back(*this);
}

void StateSlot::read(std::span<float> values) const {
  assert(slots_ == nullptr || values.size() == slots_->floats());
  if (slots_ == nullptr)
    std::ranges::fill(values, 0.0F);
  else if (memory_ != nullptr)
    std::copy_n(memory_, values.size(), values.begin());
  else
    slots_->read_file(place_, values);
}

void StateSlot::write(std::span<const float> values) {
  assert(slots_ != nullptr && values.size() == slots_->floats());
  if (memory_ != nullptr)
    std::ranges::copy(values, memory_);
  else
    slots_->write_file(place_, values);
}

StateSlots::StateSlots(std::size_t floats, std::uint64_t memory, std::string folder)
    : floats_(floats), most_in_memory_(memory / (floats * sizeof(float))), folder_(std::move(folder)) {
  assert(floats > 0);
}

StateSlots::~StateSlots() {
  if (file_ >= 0) ::close(file_);
}

StateSlot StateSlots::take() {
  const std::lock_guard lock(mutex_);
  StateSlot slot;
  if (!free_memory_.empty()) {
    slot.memory_ = free_memory_.back();
    free_memory_.pop_back();
  } else if (memory_.size() < most_in_memory_) {
    reserve_for(memory_.size() + 1, free_memory_);
    slot.memory_ = memory_.emplace_back(floats_).data();
  } else if (!free_places_.empty()) {
    slot.place_ = free_places_.back();
    free_places_.pop_back();
  } else {
    if (file_ < 0) open_file();
    reserve_for(places_ + 1, free_places_);
    slot.place_ = places_++;
  }
  slot.slots_ = this;
  return slot;
}

void StateSlots::give_back(const StateSlot& slot) noexcept {
  const std::lock_guard lock(mutex_);
  if (slot.memory_ != nullptr)
    free_memory_.push_back(slot.memory_);
  else
    free_places_.push_back(slot.place_);
}

void StateSlots::open_file() {
  std::error_code error;
  if (folder_.empty()) folder_ = std::filesystem::temp_directory_path(error).string();
  if (error) fail("find", error.value());
  std::string path = (std::filesystem::path(folder_) / "client-states-XXXXXX").string();
  file_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (file_ < 0) fail("make a file for what clients keep in", errno);
  ::unlink(path.c_str());
}

void StateSlots::read_file(std::uint64_t place, std::span<float> values) const {
  auto* at = reinterpret_cast<char*>(values.data());
  std::size_t left = values.size_bytes();
  for (auto offset = static_cast<off_t>(place * left); left > 0;) {
    const ssize_t got = ::pread(file_, at, left, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail("read what a client keeps in", got < 0 ? errno : EIO);
    at += got;
    offset += got;
    left -= static_cast<std::size_t>(got);
  }
}

void StateSlots::write_file(std::uint64_t place, std::span<const float> values) const {
  const auto* at = reinterpret_cast<const char*>(values.data());
  std::size_t left = values.size_bytes();
  for (auto offset = static_cast<off_t>(place * left); left > 0;) {
    const ssize_t put = ::pwrite(file_, at, left, offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail("write what a client keeps in", put < 0 ? errno : EIO);
    at += put;
    offset += put;
    left -= static_cast<std::size_t>(put);
  }
}

void StateSlots::fail(const char* step, int error) const {
  throw StateSlotError(describe_failure(step, folder_, error));
}

}  // namespace anybit
