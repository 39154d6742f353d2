#include "data/datasets/glyphs.h"

#include <fmt/core.h>

#include "data/datasets/canvas.h"

namespace anybit {
namespace {

constexpr Shape kShape = {Canvas::kSide, Canvas::kSide, 1};
// Measured over 40,000 examples of 400 writers with the default options.
constexpr Normalization kNormalization = {{0.3955F}, {0.2270F, 1.0F, 1.0F}};
constexpr std::int64_t kMostExamples = 1 << 20;

Dataset make_glyphs(const Options& options, const DatasetSource& source) {
  const std::int64_t classes = options.integer("classes");
  const std::int64_t examples = options.integer("examples");
  const double bend = options.number("bend"), noise = options.number("noise");
  const double faint = options.number("faint"), shade = options.number("shade");
  options.require(classes >= 2 && classes <= kGlyphClasses, "classes", fmt::format("must be 2 to {}", kGlyphClasses));
  options.require(examples >= 1 && examples <= kMostExamples, "examples",
                  fmt::format("must be 1 to {}", kMostExamples));
  options.require(bend >= 0 && bend <= 1, "bend", "must be 0 to 1");
  options.require(noise >= 0 && noise <= 1, "noise", "must be 0 to 1");
  options.require(faint >= 0 && faint <= 1, "faint", "must be 0 to 1");
  options.require(shade >= 0 && shade <= 1, "shade", "must be 0 to 1");

  Dataset made;
  made.shape = kShape;
  made.classes = static_cast<int>(classes);
  made.normalization = kNormalization;
  made.writers = std::make_shared<GlyphWriters>(source.seed, made.classes, static_cast<std::uint32_t>(examples),
                                                Difficulty{static_cast<float>(bend), static_cast<float>(noise),
                                                           static_cast<float>(faint), static_cast<float>(shade)});
  return made;
}

}  // namespace

GlyphWriters::GlyphWriters(std::uint64_t seed, int classes, std::uint32_t examples, Difficulty difficulty)
    : seed_(seed), classes_(classes), examples_(examples), difficulty_(difficulty) {}

void GlyphWriters::draw(std::uint32_t writer, std::uint32_t first, std::span<std::uint8_t> pixels,
                        std::span<std::uint8_t> labels) const {
  const Hand hand = hand_of(seed_, writer);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t index = first + static_cast<std::uint32_t>(i);
    Stream example({.seed = seed_, .purpose = Purpose::kGlyph, .client = writer, .step = index});
    labels[i] = static_cast<std::uint8_t>(example.below(static_cast<std::uint32_t>(classes_)));
    draw_glyph(seed_, writer, hand, labels[i], difficulty_, example, pixels.subspan(i * kShape.size(), kShape.size()));
  }
}

DatasetTable::Row glyphs_row() {
  return {{"glyphs",
           "built-in: characters drawn by writers with a hand of their own, 28 x 28 grey, no files",
           "",
           {{"classes", std::int64_t{10}, std::int64_t{62}, "the first so many of 0-9 A-Z a-z, 2 to 62"},
            {"examples", std::int64_t{100}, std::int64_t{60}, "examples that each client's writer draws"},
            {"bend", 0.03, 0.02, "how far strokes are bent (standard deviation), as a fraction of a capital's height"},
            {"noise", 0.01, 0.0, "noise of a pixel (standard deviation), as a fraction of full ink; writers differ"},
            {"faint", 0.5, 1.0, "darkness of the faintest examples, as a fraction of their writer's ink"},
            {"shade", 0.7, 0.0, "darkness of the darkest ground behind the strokes, as a fraction of full ink"}}},
          make_glyphs};
}

}  // namespace anybit
