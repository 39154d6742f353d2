#pragma once

#include "data/datasets/dataset.h"
#include "data/datasets/handwriting.h"

namespace anybit {

/// The built-in set: characters 0-9, A-Z, a-z (or the first n of them) as endlessly many writers would draw them.
class GlyphWriters final : public Writers {
 public:
  GlyphWriters(std::uint64_t seed, int classes, std::uint32_t examples, Difficulty difficulty);

  std::uint32_t examples() const override { return examples_; }
  void draw(std::uint32_t writer, std::uint32_t first, std::span<std::uint8_t> pixels,
            std::span<std::uint8_t> labels) const override;

 private:
  std::uint64_t seed_;
  int classes_;
  std::uint32_t examples_;
  Difficulty difficulty_;
};

DatasetTable::Row glyphs_row();

}  // namespace anybit
