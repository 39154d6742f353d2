#include "server/weightings/weighting.h"

namespace anybit {
namespace {

class ByExamples final : public Weighting {
 public:
  double weight(std::uint32_t examples, std::span<const int>) const override { return examples; }
};

class Equal final : public Weighting {
 public:
  double weight(std::uint32_t, std::span<const int>) const override { return 1; }
};

}  // namespace

WeightingTable::Row examples_weighting_row() {
  return {{.name = "examples",
           .help = "by the number of a client's examples",
           .paper = "McMahan et al., Communication-Efficient Learning of Deep Networks, AISTATS 2017",
           .neutral = {"", {}, {}, "it is the base row"}},
          [](const Options&) { return std::make_unique<const ByExamples>(); }};
}

WeightingTable::Row equal_weighting_row() {
  return {{.name = "equal",
           .help = "all alike, however many examples a client has",
           .paper = "",
           .neutral = {"", {}, {}, "clients with different numbers of examples count otherwise"}},
          [](const Options&) { return std::make_unique<const Equal>(); }};
}

const WeightingTable& weightings() {
  static const WeightingTable table("weighting", {examples_weighting_row(), equal_weighting_row(),
                                                  width_weighting_row(), inverse_error_weighting_row()});
  return table;
}

}  // namespace anybit
