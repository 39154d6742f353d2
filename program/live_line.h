#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>

namespace anybit {

/// Where something tells how it is getting on: one line that is rewritten in place on a terminal; elsewhere lines, at
/// greater intervals. Never throws for want of a reader.
class LiveLine {
 public:
  explicit LiveLine(std::FILE* out);
  ~LiveLine() { end(); }
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  bool on_terminal() const { return terminal_; }
  /// Characters that a line may have: a longer one would wrap and could not be written over.
  std::size_t columns() const;
  /// Whether the last line has stood for long enough, which the first one need not wait for.
  bool due() const;
  /// From now on as if a line had just been shown.
  void wait() { shown_ = Clock::now(); }
  /// What does not fit in columns() is cut off.
  void show(const std::string& text);
  /// A line that stays, above the live one.
  void tell(const std::string& text);
  /// Leaves the live line standing; whatever is printed next starts on a line of its own.
  void end();
  /// Takes the live line away.
  void clear();

 private:
  void write(const std::string& text);

  using Clock = std::chrono::steady_clock;
  std::FILE* out_;
  bool terminal_;
  Clock::time_point shown_{};
  bool open_ = false;
  bool readable_ = true;  // until a write fails: then nobody looks, and work goes on in silence
};

}  // namespace anybit
