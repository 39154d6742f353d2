#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "server/sessions.h"
#include "wire/message.h"

namespace anybit {

/// What a client said of a task (task_of_answer()), with all that is needed to take it later.
struct ClientAnswer {
  ConnectionId connection = 0;  // which may be gone by then
  Hello hello = {};             // that was said on it
  std::uint32_t crc = 0;        // of the frame
  Message message = {};
  Bytes bytes = {};  // in which an update's delta lies
};

/// What clients say while nothing may move the state of the federation, in the order in which it came. Of each client
/// no more than one message of a kind waits: another one would be the same again, so it is forgotten. Memory is that of
/// the frames, of one task for each client that has one.
class PostponedAnswers {
 public:
  /// Takes the message, and `storage` with the bytes that it lies in, and leaves others in their place.
  void keep(ClientAnswer whose, Message& message, Bytes& storage);
  /// The oldest; nothing where none waits.
  std::optional<ClientAnswer> take();

 private:
  using Name = std::pair<std::uint32_t, std::size_t>;  // client and kind of message
  std::deque<std::pair<Name, ClientAnswer>> answers_;
  std::set<Name> names_;
};

}  // namespace anybit
