#include "tests/system/lan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

namespace anybit {
namespace {

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

void end(std::unique_ptr<Program>& program) {
  if (!program) return;
  program->signal(SIGKILL);
  (void)program->wait();
  program.reset();
}

}  // namespace

Lan::~Lan() {
  end(server_);
  for (auto& [number, client] : clients_) end(client);
}

void Lan::encrypt(const std::string& clients) {
  encrypted_ = true;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ca"}, {"server", "localhost", "127.0.0.1"}, {"client", clients}})
    EXPECT_EQ(provision(words).code, 0);
}

Outcome Lan::provision(const std::vector<std::string>& words) const {
  std::vector<std::string> command = {ANYBIT_SOURCE_DIR "/scripts/provision", "keys"};
  append(command, words);
  return run_command(folder_.path(), command);
}

void Lan::start_server(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"../tiny.toml", "--state", "run", "--listen", "127.0.0.1:" + std::to_string(port_),
                                    "--threads",    "1"};
  for (const std::string& setting : settings_) append(words, {"--set", setting});
  if (encrypted_) append(words, {"--tls", "../keys/server"});
  append(words, more);
  std::filesystem::create_directories(folder_.path() / "server");
  folder_.write("server/stderr.txt", "");
  server_ = std::make_unique<Program>(folder_.path() / "server", words, file_limit_, "stdout.txt", ANYBIT_SERVER);
  const std::string before = "listening on 127.0.0.1:";
  wait_for_word(before);
  server_->wait_until([&] { return folder_.read("server/stderr.txt").find('\n') != std::string::npos; });
  const std::string said = folder_.read("server/stderr.txt");
  port_ = std::stoi(said.substr(said.find(before) + before.size()));
}

void Lan::start_client(std::uint32_t client, const std::vector<std::string>& more) {
  std::vector<std::string> words = {"--shard", std::to_string(client) + "/" + std::to_string(clients_of_scenario_)};
  append(words, more);
  if (encrypted_ && std::ranges::find(more, "--tls") == more.end())
    append(words, {"--tls", "../keys/client-" + std::to_string(client)});
  start_own_client(client, words);
}

void Lan::start_own_client(std::uint32_t client, std::vector<std::string> words) {
  const int port = client_port_ > 0 ? client_port_ : port_;
  append(words, {"--connect", "127.0.0.1:" + std::to_string(port), "--threads", "1"});
  const std::filesystem::path place = folder_.path() / ("client" + std::to_string(client));
  std::filesystem::create_directories(place);
  clients_[client] = std::make_unique<Program>(place, words, 0, "stdout.txt", ANYBIT_CLIENT);
}

void Lan::start_clients(std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t client = from; client < to; ++client) start_client(client);
}

Outcome Lan::end_of_server() {
  const Outcome outcome = server_->wait();
  server_.reset();
  return outcome;
}

Outcome Lan::end_of_client(std::uint32_t client) {
  const Outcome outcome = clients_.at(client)->wait();
  clients_.erase(client);
  return outcome;
}

void Lan::kill_server() { end(server_); }

void Lan::kill_client(std::uint32_t client) { end(clients_.at(client)); }

void Lan::wait_for_rounds(int rounds) const {
  server_->wait_until([&] {
    const std::string metrics = folder_.read("server/run/metrics.jsonl");
    return std::count(metrics.begin(), metrics.end(), '\n') >= rounds;
  });
}

void Lan::wait_for_word(const std::string& word) const {
  server_->wait_until([&] { return folder_.read("server/stderr.txt").find(word) != std::string::npos; });
}

std::string Lan::simulated_model(const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"run", "tiny.toml", "--out", "simulated", "--force"};
  for (const std::string& setting : settings_) append(words, {"--set", setting});
  for (const std::string& setting : more) append(words, {"--set", setting});
  EXPECT_EQ(folder_.run(words).code, 0);
  return folder_.read("simulated/model.ckpt");
}

}  // namespace anybit
