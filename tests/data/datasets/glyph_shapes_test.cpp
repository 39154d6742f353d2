#include "data/datasets/glyph_shapes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace anybit {
namespace {

TEST(ParseGlyph, LinesComeInPieces) {
  const GlyphShape shape = parse_glyph("M 0 0 L 32 0 | M 5 5 L 5 6");
  ASSERT_EQ(shape.strokes.size(), 2U);
  ASSERT_EQ(shape.strokes[0].size(), 3U);
  EXPECT_FLOAT_EQ(shape.strokes[0][1].x, 16);
  EXPECT_EQ(shape.strokes[1].size(), 2U);
}

TEST(ParseGlyph, ArcsRunFromAngleToAngle) {
  const GlyphShape shape = parse_glyph("A 10 20 4 8 0 90");
  ASSERT_EQ(shape.strokes.size(), 1U);
  const auto& stroke = shape.strokes[0];
  EXPECT_NEAR(stroke.front().x, 14, 1e-5);
  EXPECT_NEAR(stroke.front().y, 20, 1e-5);
  EXPECT_NEAR(stroke.back().x, 10, 1e-5);
  EXPECT_NEAR(stroke.back().y, 28, 1e-5);
  EXPECT_EQ(stroke.size(), 5U);
}

TEST(ParseGlyph, BrokenPathsAreOurMistake) {
  EXPECT_THROW(parse_glyph("M 0"), std::logic_error);
  EXPECT_THROW(parse_glyph("Z 0 0"), std::logic_error);
}

TEST(GlyphShapes, AllStayInTheirPlane) {
  ASSERT_EQ(kGlyphNames.size(), static_cast<std::size_t>(kGlyphClasses));
  for (int label = 0; label < kGlyphClasses; ++label) {
    for (const auto& stroke : glyph_shape(label).strokes) {
      EXPECT_GE(stroke.size(), 2U) << kGlyphNames[static_cast<std::size_t>(label)];
      for (const Point point : stroke) {
        EXPECT_TRUE(point.x >= -5 && point.x <= 75 && point.y >= -5 && point.y <= 133)
            << kGlyphNames[static_cast<std::size_t>(label)] << " " << point.x << " " << point.y;
      }
    }
  }
}

}  // namespace
}  // namespace anybit
