#include "server/postponed_answers.h"

namespace anybit {

void PostponedAnswers::keep(ClientAnswer whose, Message& message, Bytes& storage) {
  const Name name{task_of_answer(message)->client, message.index()};
  if (!names_.insert(name).second) return;
  ClientAnswer& kept = answers_.emplace_back(name, std::move(whose)).second;
  std::swap(kept.message, message);
  std::swap(kept.bytes, storage);
}

std::optional<ClientAnswer> PostponedAnswers::take() {
  if (answers_.empty()) return std::nullopt;
  auto [name, answer] = std::move(answers_.front());
  answers_.pop_front();
  names_.erase(name);
  return std::move(answer);
}

}  // namespace anybit
