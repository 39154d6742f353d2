#include "program/live_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "program/tell.h"

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kLiveInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::size_t kUsualColumns = 79;
constexpr const char* kStartOfLine = "\r\033[K";

}  // namespace

LiveLine::LiveLine(std::FILE* out) : out_(out), terminal_(::isatty(::fileno(out)) == 1) {}

std::size_t LiveLine::columns() const {
  if (!terminal_) return std::string::npos;
  struct winsize size = {};
  if (::ioctl(::fileno(out_), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col - 1U;
}

bool LiveLine::due() const {
  return Clock::now() - shown_ >= (terminal_ ? Clock::duration(kLiveInterval) : Clock::duration(kPlainInterval));
}

void LiveLine::show(const std::string& text) {
  wait();
  open_ = terminal_;
  write(terminal_ ? kStartOfLine + text.substr(0, columns()) : text + "\n");
}

void LiveLine::tell(const std::string& text) {
  end();
  write(text + "\n");
}

void LiveLine::end() {
  if (open_) write("\n");
  open_ = false;
}

void LiveLine::clear() {
  if (open_) write(kStartOfLine);
  open_ = false;
}

void LiveLine::write(const std::string& text) { readable_ = readable_ && put(out_, text); }

}  // namespace anybit
