#include "client/versions.h"

#include <fmt/format.h>

namespace anybit {
namespace {

/// Of versions from the oldest on; 0: there is none.
std::string held_text(std::initializer_list<std::uint32_t> names) {
  std::string text;
  for (const std::uint32_t name : names)
    if (name != 0) text += fmt::format("{}{}", text.empty() ? "it has version " : " or ", name);
  return text.empty() ? "it has no state" : text + " of its state";
}

}  // namespace

std::string no_such_version(std::initializer_list<std::uint32_t> held, std::uint32_t name) {
  return fmt::format("{}, the server counts on version {}", held_text(held), name);
}

}  // namespace anybit
