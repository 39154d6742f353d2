#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/program/started_program.h"

namespace anybit {

/// A server and clients of the tiny scenario as processes on loopback, each in a folder of its own; the server's run
/// directory is server/run. Whatever still runs at the end is killed.
class Lan {
 public:
  /// `settings` of the scenario; `clients`: how many it has by them.
  explicit Lan(std::vector<std::string> settings = {}, int clients = 20)
      : settings_(std::move(settings)), clients_of_scenario_(clients) {}
  /// No file of the next server may grow beyond so many bytes; 0: no limit.
  void limit_files(std::size_t bytes) { file_limit_ = bytes; }
  /// From now on in TLS: makes a CA and certificates for the server and these clients, by scripts/provision.
  void encrypt(const std::string& clients = "0-19");
  Outcome provision(const std::vector<std::string>& words) const;
  ~Lan();

  /// Starts the server, at the same port as before where it ran already, and waits until it listens.
  void start_server(const std::vector<std::string>& more = {});
  void start_client(std::uint32_t client, const std::vector<std::string>& more = {});
  /// A client that says itself who it is and what it trains on.
  void start_own_client(std::uint32_t client, std::vector<std::string> words);
  void start_clients(std::uint32_t from, std::uint32_t to);
  /// Clients that are started from now on look for the server at this port.
  void lead_clients_to(int port) { client_port_ = port; }

  const Program& server() const { return *server_; }
  const Program& client(std::uint32_t client) const { return *clients_.at(client); }
  Outcome end_of_server();
  Outcome end_of_client(std::uint32_t client);

  void kill_server();
  void kill_client(std::uint32_t client);
  /// Waits until the server's metrics have so many rounds.
  void wait_for_rounds(int rounds) const;
  /// Waits until the server has said so.
  void wait_for_word(const std::string& word) const;

  const ProgramFolder& folder() const { return folder_; }
  std::string model() const { return folder_.read("server/run/model.ckpt"); }
  /// The model of the same scenario by anybit-sim, with these settings besides.
  std::string simulated_model(const std::vector<std::string>& more = {}) const;
  int port() const { return port_; }

 private:
  ProgramFolder folder_;
  std::vector<std::string> settings_;
  std::unique_ptr<Program> server_;
  std::map<std::uint32_t, std::unique_ptr<Program>> clients_;
  int port_ = 0;
  int client_port_ = 0;  // 0: the server's
  int clients_of_scenario_;
  bool encrypted_ = false;
  std::size_t file_limit_ = 0;
};

}  // namespace anybit
