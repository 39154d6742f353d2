#pragma once

#include <cstdio>
#include <string>

namespace anybit {

/// Writes a line to standard error, and never throws: one that nobody can read is dropped, for the results do not hang
/// on it.
void tell(const std::string& line);

/// The same for a text without its line's end, to any file. Returns whether it was written.
bool put(std::FILE* out, const std::string& text);

}  // namespace anybit
