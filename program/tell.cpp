#include "program/tell.h"

namespace anybit {

void tell(const std::string& line) { put(stderr, line + "\n"); }

bool put(std::FILE* out, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
}

}  // namespace anybit
