#pragma once

#include <mutex>
#include <set>
#include <span>
#include <string>

#include "wire/codec.h"

namespace anybit {

/// A view of bytes that stay until the tests end, the same for the same bytes. For messages, which do not own their
/// bulk, where a test hands them on.
inline std::span<const std::uint8_t> keep(const Bytes& bytes) {
  static std::mutex mutex;
  static std::set<std::string> kept;  // g++ 12 warns of comparing two vectors of bytes
  const std::lock_guard lock(mutex);
  const std::string& text = *kept.emplace(bytes.begin(), bytes.end()).first;
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A copy, to be changed or compared.
inline Bytes bytes_of(std::span<const std::uint8_t> view) { return {view.begin(), view.end()}; }

}  // namespace anybit
