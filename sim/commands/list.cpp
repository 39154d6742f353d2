#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "scenarios/listing.h"
#include "sim/commands/commands.h"
#include "sim/families.h"

namespace anybit {
namespace {

struct ListOptions {
  std::string family;
  bool json = false;
};

int list_family(const ListOptions& options) {
  const std::vector<RowInfo> rows = family_rows(options.family);
  fmt::print("{}", options.json ? rows_to_json(rows) : rows_to_text(rows));
  return 0;
}

}  // namespace

void add_list_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<ListOptions>();
  CLI::App& command = *program.add_subcommand("list", "Print a table: names, help, options with defaults, papers");
  command.add_option("family", options->family, "Which table")->required()->check(CLI::IsMember(family_names()));
  command.add_flag("--json", options->json, "As a JSON array of objects");
  command.callback([options, &chosen] { chosen = [options] { return list_family(*options); }; });
}

}  // namespace anybit
