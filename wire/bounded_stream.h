#pragma once

#include <cstddef>
#include <span>
#include <streambuf>

#include "wire/codec.h"

namespace anybit {

/// A stream's end that appends to a byte vector.
class AppendBuffer : public std::streambuf {
 public:
  explicit AppendBuffer(Bytes& out) : out_(out) {}

 protected:
  std::streamsize xsputn(const char* from, std::streamsize count) override {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
    out_.insert(out_.end(), bytes, bytes + count);
    return count;
  }
  int_type overflow(int_type byte) override {
    out_.push_back(static_cast<std::uint8_t>(traits_type::to_char_type(byte)));
    return byte;
  }

 private:
  Bytes& out_;
};

/// A stream's start over bytes that somebody else holds, with the budget that is left: a declared size is compared with
/// remaining() before anything is allocated for it.
class BoundedBuffer : public std::streambuf {
 public:
  explicit BoundedBuffer(std::span<const std::uint8_t> bytes) {
    // streambuf wants char*, but this one has no put area: nothing writes through it.
    char* start = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(start, start, start + bytes.size());
  }

  std::size_t remaining() const { return static_cast<std::size_t>(egptr() - gptr()); }

  /// The next `count` bytes where they lie; count <= remaining().
  std::span<const std::uint8_t> take(std::size_t count) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(gptr());
    setg(eback(), gptr() + count, egptr());
    return {from, count};
  }
};

}  // namespace anybit
