#include "tests/program/started_program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "nn/kernel_set.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

[[noreturn]] void become_program(const fs::path& folder, std::vector<char*> words, std::size_t file_limit,
                                 const std::string& to) {
  if (::chdir(folder.c_str()) != 0) ::_exit(127);
  const int out = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int error = ::open("stderr.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  if (file_limit > 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // writes then fail with EFBIG
    const struct rlimit limit = {file_limit, file_limit};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::unsetenv("ANYBIT_DATA");  // tests say where data lies
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

Program::Program(const fs::path& folder, const std::vector<std::string>& arguments, std::size_t file_limit,
                 const std::string& out, const std::string& executable)
    : folder_(folder) {
  std::vector<char*> words{const_cast<char*>(executable.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  pid_ = ::fork();
  // A signal to -1 would be one to everybody.
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start " + executable);
  if (pid_ == 0) become_program(folder, std::move(words), file_limit, out);
}

void Program::signal(int number) const { ::kill(pid_, number); }

bool Program::is_over() const {
  siginfo_t info = {};
  // An error: it was waited for before.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
}

void Program::wait_until(const std::function<bool()>& there, std::chrono::seconds limit) const {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!there()) {
    const bool over = is_over();
    if (over && there()) return;  // the last thing that it did
    if (over || std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << (over ? "the program ended before: " : "the program takes too long: ")
                    << text_of(folder_ / "stderr.txt");
      signal(SIGKILL);
      return;
    }
    ::usleep(200);
  }
}

Outcome Program::wait(std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!is_over() && std::chrono::steady_clock::now() < end) ::usleep(500);
  const bool too_long = !is_over();
  if (too_long) signal(SIGKILL);
  int status = 0;
  struct rusage used = {};
  ::wait4(pid_, &status, 0, &used);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  Outcome outcome{code, text_of(folder_ / "stdout.txt"), text_of(folder_ / "stderr.txt"),
                  1024.0 * static_cast<double>(used.ru_maxrss)};
  if (too_long)
    ADD_FAILURE() << "the program did not end in " << limit.count() << " s:\n" << outcome.out << outcome.error;
  return outcome;
}

Outcome run_program(const fs::path& folder, const std::vector<std::string>& arguments) {
  return Program(folder, arguments).wait();
}

Outcome run_command(const fs::path& folder, const std::vector<std::string>& words) {
  return Program(folder, {words.begin() + 1, words.end()}, 0, "stdout.txt", words[0]).wait();
}

std::vector<std::string> complaints(const Outcome& outcome) {
  std::vector<std::string> lines;
  std::istringstream text(outcome.error);
  for (std::string line; std::getline(text, line);)
    if (!line.starts_with("round ")) lines.push_back(line);
  return lines;
}

void expect_one_complaint(const Outcome& outcome, const std::vector<std::string>& words) {
  EXPECT_EQ(outcome.code, 1) << outcome.out;
  const std::vector<std::string> lines = complaints(outcome);
  EXPECT_EQ(lines.size(), 1U) << outcome.error;
  for (const std::string& word : words)
    EXPECT_NE(lines.empty() ? std::string::npos : lines[0].find(word), std::string::npos)
        << "'" << word << "' not in: " << outcome.error;
}

ProgramFolder::ProgramFolder() {
  std::string name = (fs::temp_directory_path() / "anybit_sim_XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
  path_ = name;
  write("tiny.toml", kTinyScenario);
}

ProgramFolder::~ProgramFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string ProgramFolder::read(const std::string& file) const { return text_of(path_ / file); }

void ProgramFolder::write(const std::string& file, const std::string& text) const {
  fs::create_directories((path_ / file).parent_path());
  std::ofstream(path_ / file, std::ios::binary) << text;
}

std::vector<std::string> instruction_sets() {
  if (machine_instruction_sets().front() == "avx512") return {"avx2", "best"};
  return {"avx2"};
}

}  // namespace anybit
