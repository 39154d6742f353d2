#include "data/datasets/handwriting.h"

#include <algorithm>
#include <cmath>

#include "data/datasets/canvas.h"

namespace anybit {
namespace {

constexpr Point kMiddle = {35, 56};                       // of the shapes' plane
constexpr Point kOrigin = {-5, -5}, kExtent = {80, 138};  // where the knots of a bend lie
constexpr float kCapital = 100;                           // height of a capital in the shapes' plane

float normal(Stream& stream, float mean, float deviation) {
  return mean + deviation * static_cast<float>(stream.normal());
}

/// Position along a row of knots: the knot before it, and the blend to the next with flat ends (3t^2 - 2t^3).
struct KnotPosition {
  int knot;
  float blend;
};

KnotPosition between_knots(float at, float origin, float extent, int knots) {
  const float scaled = std::clamp((at - origin) / extent, 0.0F, 1.0F) * static_cast<float>(knots - 1);
  const int knot = std::min(static_cast<int>(scaled), knots - 2);
  const float t = scaled - static_cast<float>(knot);
  return {knot, t * t * (3 - 2 * t)};
}

Point mix(Point a, Point b, float share) { return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)}; }

/// One example differs from the writer's habit by a little.
Hand vary(const Hand& habit, const Difficulty& difficulty, Stream& example) {
  Hand hand = habit;
  hand.height *= std::clamp(normal(example, 1, 0.06F), 0.8F, 1.2F);
  hand.aspect *= std::clamp(normal(example, 1, 0.06F), 0.8F, 1.2F);
  hand.slant += normal(example, 0, 0.06F);
  hand.turn += normal(example, 0, 0.06F);
  hand.radius *= std::clamp(normal(example, 1, 0.08F), 0.75F, 1.3F);
  hand.centre.x += normal(example, 0, 1.0F);
  hand.centre.y += normal(example, 0, 1.0F);
  hand.ink *= difficulty.faint + (1 - difficulty.faint) * static_cast<float>(example.uniform());
  return hand;
}

Point to_pixels(const Hand& hand, Point at) {
  const float scale = hand.height / kCapital;
  const float right = (at.x - kMiddle.x) * scale * hand.aspect, down = (at.y - kMiddle.y) * scale;
  return {hand.centre.x + right - hand.slant * down, hand.centre.y + down + hand.turn * right};
}

/// Sum of the four bytes of a word: mean 510, variance 4 (256^2 - 1) / 12, close to normal and quick.
float byte_noise(std::uint32_t word) {
  const std::uint32_t sum = (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + (word >> 24);
  return (static_cast<float>(sum) - 510.0F) * (1.0F / 147.8F);
}

}  // namespace

void Bend::add(Stream& stream, float deviation) {
  for (Point& knot : knots_) {
    knot.x += normal(stream, 0, deviation);
    knot.y += normal(stream, 0, deviation);
  }
}

Point Bend::apply(Point at) const {
  const KnotPosition x = between_knots(at.x, kOrigin.x, kExtent.x, kKnots);
  const KnotPosition y = between_knots(at.y, kOrigin.y, kExtent.y, kKnots);
  const Point* above = knots_.data() + y.knot * kKnots + x.knot;
  const Point* below = above + kKnots;
  const Point moved = mix(mix(above[0], above[1], x.blend), mix(below[0], below[1], x.blend), y.blend);
  return {at.x + moved.x, at.y + moved.y};
}

Hand hand_of(std::uint64_t seed, std::uint32_t writer) {
  Stream stream({.seed = seed, .purpose = Purpose::kWriter, .client = writer});
  Hand hand;
  hand.height = std::clamp(normal(stream, 16.5F, 1.6F), 12.5F, 20.0F);
  hand.aspect = std::clamp(normal(stream, 1, 0.13F), 0.7F, 1.4F);
  hand.slant = std::clamp(normal(stream, 0.08F, 0.2F), -0.45F, 0.6F);
  hand.turn = std::clamp(normal(stream, 0, 0.07F), -0.2F, 0.2F);
  hand.radius = 0.6F + 0.9F * static_cast<float>(stream.uniform());
  hand.ink = 0.7F + 0.3F * static_cast<float>(stream.uniform());
  hand.noise = 0.5F + static_cast<float>(stream.uniform());
  hand.centre.x = std::clamp(normal(stream, 13.5F, 0.8F), 11.0F, 16.0F);
  hand.centre.y = std::clamp(normal(stream, 13.5F, 0.8F), 11.0F, 16.0F);
  return hand;
}

void draw_glyph(std::uint64_t seed, std::uint32_t writer, const Hand& hand, int label, const Difficulty& difficulty,
                Stream& example, std::span<std::uint8_t> pixels) {
  const Hand now = vary(hand, difficulty, example);
  Stream habit(
      {.seed = seed, .purpose = Purpose::kWriter, .client = writer, .layer = 1 + static_cast<std::uint32_t>(label)});
  // Variances add up to bend squared: most of it is how this writer always bends this character.
  Bend bend;
  bend.add(habit, 0.8F * kCapital * difficulty.bend);
  bend.add(example, 0.6F * kCapital * difficulty.bend);

  Canvas canvas(now.radius + 0.5F);
  for (const auto& stroke : glyph_shape(label).strokes) {
    Point from = to_pixels(now, bend.apply(stroke.front()));
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      const Point to = to_pixels(now, bend.apply(stroke[i]));
      canvas.stroke(from, to);
      from = to;
    }
  }
  // An even ground is what a float network soon learns to see through, its filters adding up to nothing. Those of few
  // bits do not add up to nothing: the ground is what makes low widths hard.
  const float ground = difficulty.shade * static_cast<float>(example.uniform());
  const float ink = (1 - ground) * now.ink, noise = difficulty.noise * now.noise;
  std::array<float, Canvas::kSide * Canvas::kRow> shares;
  canvas.coverage(now.radius, shares);
  std::array<std::uint32_t, Canvas::kSide * Canvas::kSide> draws;
  example.next_bits(draws);
  std::array<float, Canvas::kSide> row;
  for (std::size_t y = 0; y < row.size(); ++y) {
    for (std::size_t x = 0; x < row.size(); ++x) {
      const float grey = ground + ink * shares[y * Canvas::kRow + x] + noise * byte_noise(draws[y * row.size() + x]);
      row[x] = std::min(std::max(grey * 255.0F + 0.5F, 0.0F), 255.0F);
    }
    for (std::size_t x = 0; x < row.size(); ++x)
      pixels[y * row.size() + x] = static_cast<std::uint8_t>(static_cast<std::int32_t>(row[x]));
  }
}

}  // namespace anybit
