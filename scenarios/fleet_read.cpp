#include "scenarios/fleet_read.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "scenarios/option_types.h"
#include "scenarios/section_reader.h"

namespace anybit {
namespace {

constexpr double kMostSpread = 3;  // one device in six is 20 times as fast as one in the middle, or as slow
constexpr double kMostLatency = 1e6, kMostEnergy = 1000, kMostPower = 1e6;  // s, J, W: sums of them stay numbers

/// It stands in lines of tasks.csv, where no name means that there is no fleet.
std::string read_class_name(SectionReader& section, const Mistakes& mistakes) {
  const std::size_t before = mistakes.found().size();
  std::string name = section.text("name", std::nullopt);
  const bool is_read = mistakes.found().size() == before;
  const auto is_control = [](unsigned char letter) { return letter < 0x20 || letter == 0x7F; };
  if (is_read && (name.empty() || std::ranges::any_of(name, is_control)))
    section.refuse("name", "'" + name + "' cannot name a class: it must not be empty or hold control characters");
  return name;
}

FleetClass read_class(const TomlNode& node, Mistakes& mistakes) {
  SectionReader section(&node, "fleet.class", mistakes);
  FleetClass made;
  made.where = section.where();
  made.name = read_class_name(section, mistakes);
  made.share = section.number("share", 0.0, std::nullopt);
  made.widths = section.widths("widths", std::nullopt);
  made.compute = section.number("compute", 0.0, made.compute);
  made.compute_spread = section.number_within("compute_spread", 0.0, kMostSpread, made.compute_spread);
  made.memory = section.byte_count("memory");
  made.down = section.number("down", 0.0, made.down);
  made.up = section.number("up", 0.0, made.up);
  made.link_spread = section.number_within("link_spread", 0.0, kMostSpread, made.link_spread);
  made.latency = section.number_within("latency", 0.0, kMostLatency, made.latency);
  made.energy_flop = section.number_within("energy_flop", 0.0, kMostEnergy, made.energy_flop);
  made.energy_byte = section.number_within("energy_byte", 0.0, kMostEnergy, made.energy_byte);
  made.idle_power = section.number_within("idle_power", 0.0, kMostPower, made.idle_power);
  made.drop_out = section.number_within("drop_out", 0.0, 1.0, made.drop_out);
  made.availability = section.part("availability", made.availability.name);
  section.finish();
  return made;
}

std::vector<FleetClass> read_classes(SectionReader& section, Mistakes& mistakes) {
  const std::size_t before = mistakes.found().size();
  std::vector<FleetClass> fleet;
  double total = 0;
  for (const TomlNode& child : section.sections("class")) {
    FleetClass made = read_class(child, mistakes);
    const auto same = [&](const FleetClass& other) { return other.name == made.name; };
    if (std::any_of(fleet.begin(), fleet.end(), same))
      mistakes.add({made.where, "two fleet classes are named '" + made.name + "'", "fleet.class"});
    total += made.share;
    fleet.push_back(std::move(made));
  }
  if (!fleet.empty() && mistakes.found().size() == before && std::abs(total - 1.0) > 1e-6)
    mistakes.add({fleet.front().where,
                  "the shares of all fleet classes sum to " + shortest_number(total) + ", not to 1", "fleet.class"});
  return fleet;
}

/// Beside the scenario, or as it stands; empty where there is neither, which is told.
std::string find_file(const std::string& from, SectionReader& section, const Mistakes& mistakes) {
  const std::filesystem::path beside = std::filesystem::path(mistakes.file()).parent_path() / from;
  std::error_code ignored;
  for (const std::filesystem::path& path : {beside, std::filesystem::path(from)})
    if (std::filesystem::exists(path, ignored) && !std::filesystem::is_directory(path, ignored)) return path.string();
  section.refuse("from", "there is no file '" + beside.string() + "'" +
                             (beside == from ? "" : ", and no '" + from + "'") +
                             "; name one with [[fleet.class]] tables");
  return {};
}

std::vector<FleetClass> read_fleet_file(const std::string& path, Mistakes& mistakes) {
  std::vector<FleetClass> fleet;
  mistakes.check([&] {
    const TomlNode document = parse_document(read_toml_file(path), path);
    SectionReader top(&document, "", mistakes);
    for (const char* words : {"name", "note"}) top.text(words, "");  // for whoever reads the file
    const std::size_t before = mistakes.found().size();
    SectionReader section(top.section("fleet"), "fleet", mistakes);
    fleet = read_classes(section, mistakes);
    section.finish();
    if (fleet.empty() && mistakes.found().size() == before)
      mistakes.add({{path, 1}, "there is no [[fleet.class]] here", "fleet.class"});
    top.finish();
  });
  return fleet;
}

/// Which of the two holds where both are written: the one from the command line.
enum class Source : std::uint8_t { kClasses, kFile, kBoth };

Source source_of(const TomlNode* node) {
  const TomlNode* from = node ? node->child("from") : nullptr;
  const TomlNode* classes = node ? node->child("class") : nullptr;
  if (!from) return Source::kClasses;
  if (!classes) return Source::kFile;
  const bool new_from = from_override(from->where), new_classes = from_override(classes->where);
  if (new_from != new_classes) return new_from ? Source::kFile : Source::kClasses;
  return Source::kBoth;
}

/// The classes of the file that `from` names.
std::vector<FleetClass> read_from(SectionReader& section, OtherFiles files, Mistakes& mistakes) {
  const std::size_t before = mistakes.found().size();
  const std::string from = section.text("from", std::nullopt);
  if (mistakes.found().size() > before) return {};
  if (files == OtherFiles::kRefused) {
    section.refuse("from", "no other file is read for this scenario; its classes must be written out in it");
    return {};
  }
  const std::string path = find_file(from, section, mistakes);
  return path.empty() ? std::vector<FleetClass>() : read_fleet_file(path, mistakes);
}

}  // namespace

std::vector<FleetClass> read_fleet(const TomlNode* node, OtherFiles files, Mistakes& mistakes) {
  SectionReader section(node, "fleet", mistakes);
  const Source source = source_of(node);
  std::vector<FleetClass> fleet;
  if (source == Source::kBoth) section.refuse("from", "there is fleet.class, too; keep one of the two");
  if (source == Source::kFile) fleet = read_from(section, files, mistakes);
  if (source == Source::kClasses) fleet = read_classes(section, mistakes);
  section.know({"from", "class"});
  section.finish();
  return fleet;
}

}  // namespace anybit
