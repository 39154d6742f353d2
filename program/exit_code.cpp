#include "program/exit_code.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "program/tell.h"
#include "scenarios/options.h"
#include "scenarios/scenario.h"

namespace anybit {
namespace {

int run_told(const std::string& program, const std::function<int()>& work) {
  try {
    return work();
  } catch (const ScenarioErrors& mistakes) {
    tell(mistakes.what());
  } catch (const ScenarioError& mistake) {
    tell(mistake.what());
  } catch (const std::bad_alloc&) {
    tell(program + ": out of memory; `anybit-sim check` says how much a scenario needs");
  } catch (const std::exception& error) {
    tell(fmt::format("{}: {}", program, error.what()));
  }
  return kFailed;
}

}  // namespace

int exit_code_of(const std::string& program, const std::function<int()>& work) {
  const int code = run_told(program, work);
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const std::string reason = errno == 0 ? "" : fmt::format(": {}", std::strerror(errno));
  tell(program + ": cannot write the output" + reason);
  return kFailed;
}

}  // namespace anybit
