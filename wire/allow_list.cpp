#include "wire/allow_list.h"

#include <sys/stat.h>

#include <cctype>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace anybit {
namespace {

constexpr std::size_t kDigits = 64;  // of a SHA-256 in hexadecimal

/// Lower case without colons; empty where it is no fingerprint.
std::string plain_fingerprint(const std::string& text) {
  std::string plain;
  for (const char mark : text) {
    if (mark == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(mark)) == 0) return "";
    plain.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(mark))));
  }
  return plain.size() == kDigits ? plain : "";
}

}  // namespace

AllowList::AllowList(std::string path) : path_(std::move(path)) {
  read_ = seen_ = stamp();
  if (const std::string mistake = read(); !mistake.empty()) throw std::runtime_error(mistake);
}

AllowList::Stamp AllowList::stamp() const {
  struct stat found = {};
  if (::stat(path_.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec, static_cast<std::uint64_t>(found.st_size), found.st_ino};
}

std::string AllowList::read() {
  entries_.clear();
  std::ifstream file(path_);
  if (!file) return path_ + ": the allow-list cannot be read; scripts/provision makes it";
  std::string mistake;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, fingerprint, more;
    if (!(words >> name)) continue;
    words >> fingerprint;
    fingerprint = plain_fingerprint(fingerprint);
    if (!fingerprint.empty() && !(words >> more)) {
      entries_.emplace(name, fingerprint);
    } else if (mistake.empty()) {
      mistake =
          path_ + ":" + std::to_string(number) + ": expected a name and a SHA-256 fingerprint: client-3 64 digits";
    }
  }
  return mistake;
}

bool AllowList::look_again() {
  const Stamp now = stamp();
  const bool settled = now == std::exchange(seen_, now);
  if (!settled || now == read_) return false;
  read_ = now;
  mistake_ = read();
  return true;
}

}  // namespace anybit
