#include "server/aggregations/asynchronous_options.h"

#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"

namespace anybit {
namespace {

constexpr std::int64_t kMostConcurrency = (1 << 24) - 1;
constexpr std::int64_t kMostStaleness = 1 << 20;

constexpr double kExponent = 0.5;
constexpr double kSlope = 10;
constexpr std::int64_t kPatience = 4;

/// What another discount has may only stand there as a default that was written out.
void refuse_idle(const Options& options, const char* key, const OptionValue& fallback, bool acts) {
  options.require(acts || options.find(key)->value == fallback, key,
                  "is of another discount than '" + options.text("discount") + "': leave it out");
}

StalenessDiscount read_discount(const Options& options) {
  const std::string& name = options.text("discount");
  const double exponent = options.non_negative("exponent");
  const double slope = options.non_negative("slope");
  const std::int64_t patience = options.integer("patience");
  options.require(patience >= 0 && patience <= kMostStaleness, "patience",
                  "must be 0 to " + std::to_string(kMostStaleness));
  options.require(exponent <= 100, "exponent", "must be 0 to 100");
  options.require(slope <= 1e6, "slope", "must be 0 to 1e6");
  options.require(name == "constant" || name == "polynomial" || name == "hinge", "discount",
                  "must be 'constant', 'polynomial' or 'hinge'");
  refuse_idle(options, "exponent", kExponent, name == "polynomial");
  refuse_idle(options, "slope", kSlope, name == "hinge");
  refuse_idle(options, "patience", kPatience, name == "hinge");
  if (name == "constant") return constant_discount();
  if (name == "polynomial") return polynomial_discount(exponent);
  return hinge_discount(slope, static_cast<std::uint32_t>(patience));
}

}  // namespace

StalenessDiscount constant_discount() {
  return [](std::uint32_t) { return 1.0; };
}

/// The root of the usual exponent is exact to half a unit in the last place; the others are our own exp and log.
StalenessDiscount polynomial_discount(double exponent) {
  return [exponent](std::uint32_t staleness) {
    const double age = 1.0 + static_cast<double>(staleness);
    if (exponent == 0.5) return 1.0 / std::sqrt(age);
    if (exponent == 1.0) return std::max(kLeastDiscount, 1.0 / age);
    return std::max(kLeastDiscount, fixed_exp(-exponent * fixed_log(age)));
  };
}

StalenessDiscount hinge_discount(double slope, std::uint32_t patience) {
  return [slope, patience](std::uint32_t staleness) {
    if (staleness <= patience) return 1.0;
    return std::max(kLeastDiscount, 1.0 / (slope * static_cast<double>(staleness - patience) + 1.0));
  };
}

std::vector<OptionRow> asynchronous_options(const char* discount) {
  const auto only = [](const char* name) {
    return std::vector<std::pair<std::string, OptionValue>>{{"discount", std::string(name)}};
  };
  return {
      {"concurrency", std::int64_t{10}, std::int64_t{3}, "clients that train at any time"},
      {"max_staleness", std::int64_t{20}, std::int64_t{0}, "versions that an update may be behind; older are dropped"},
      {"discount", std::string(discount), std::string("hinge"), "of stale updates: constant, polynomial or hinge"},
      {"exponent", kExponent, 3.0, "polynomial: s = (1 + staleness)^-exponent", only("polynomial")},
      {"slope",
       kSlope,
       0.1,
       "hinge: s = 1 / (slope (staleness - patience) + 1)",
       {{"discount", std::string("hinge")}, {"patience", std::int64_t{0}}}},
      {"patience", kPatience, std::int64_t{0}, "hinge: staleness up to which s is 1", only("hinge")}};
}

Asynchrony read_asynchrony(const Options& options) {
  Asynchrony made;
  const std::int64_t concurrency = options.integer("concurrency");
  options.require(concurrency >= 1 && concurrency <= kMostConcurrency, "concurrency",
                  "must be 1 to " + std::to_string(kMostConcurrency));
  const std::int64_t staleness = options.integer("max_staleness");
  options.require(staleness >= 0 && staleness <= kMostStaleness, "max_staleness",
                  "must be 0 to " + std::to_string(kMostStaleness));
  made.concurrency = static_cast<std::uint32_t>(concurrency);
  made.max_staleness = static_cast<std::uint32_t>(staleness);
  made.discount = read_discount(options);
  return made;
}

}  // namespace anybit
