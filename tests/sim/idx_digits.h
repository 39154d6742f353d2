#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "tests/program/started_program.h"

namespace anybit {

inline std::string big_endian(std::initializer_list<std::uint32_t> values) {
  std::string bytes;
  for (const std::uint32_t value : values)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> static_cast<unsigned>(shift));
  return bytes;
}

/// A set of `examples` grey squares, all with one label, as MNIST's idx files below data/.
inline void write_digits(const ProgramFolder& folder, std::uint32_t examples, char label = 1, std::uint32_t side = 28) {
  const std::string images = big_endian({2051, examples, side, side}) + std::string(examples * side * side, '\x7f');
  const std::string labels = big_endian({2049, examples}) + std::string(examples, label);
  for (const char* part : {"train", "t10k"}) {
    folder.write(std::string("data/mnist/") + part + "-images-idx3-ubyte", images);
    folder.write(std::string("data/mnist/") + part + "-labels-idx1-ubyte", labels);
  }
}

/// Lets the tiny scenario take its data from there.
inline void use_digits(const ProgramFolder& folder) {
  std::string text = folder.read("tiny.toml");
  text.replace(text.find("set = \"glyphs\""), 14, "set = \"mnist\"");
  text.replace(text.find("examples = 20"), 13, "");
  text.replace(text.find("proxy = 100"), 11, "proxy = 0");
  folder.write("tiny.toml", text);
}

}  // namespace anybit
