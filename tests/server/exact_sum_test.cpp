#include "server/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/random.h"

namespace anybit {
namespace {

__extension__ using Wide = __int128;

/// rint(x * 2^60), half-even, on integers alone: an independent way to the addend that D7 defines in two words.
Wide addend_of(double x) {
  int exponent = 0;
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(x, &exponent), 53));
  const int shift = exponent - 53 + 60;
  if (shift >= 0) return static_cast<Wide>(mantissa) << shift;
  if (shift < -62) return 0;
  const Wide unit = Wide{1} << -shift;
  Wide below = mantissa / unit - (mantissa % unit < 0 ? 1 : 0);
  const Wide rest = 2 * (mantissa - below * unit);
  if (rest > unit || (rest == unit && below % 2 != 0)) ++below;
  return below;
}

struct Term {
  std::vector<float> values;
  double weight = 1;
};

/// Values of very different magnitudes: 2^-70 ... 2^25.
std::vector<Term> make_terms(std::uint32_t seed, std::size_t count, std::size_t size) {
  Stream stream({.seed = seed, .purpose = Purpose::kTest});
  std::vector<Term> terms(count);
  for (Term& term : terms) {
    term.weight = 1.0 + static_cast<double>(stream.below(500)) / 7.0;
    for (std::size_t i = 0; i < size; ++i)
      term.values.push_back(
          static_cast<float>(std::ldexp(stream.uniform() - 0.5, static_cast<int>(stream.below(95)) - 69)));
  }
  return terms;
}

std::vector<float> sum_of(const std::vector<Term>& terms, double denominator) {
  ExactSum sum(terms.front().values.size());
  for (const Term& term : terms) sum.add(0, term.values, term.weight);
  std::vector<float> out(sum.size());
  sum.close(0, denominator, out);
  return out;
}

TEST(ExactSum, EqualsArithmeticOn128Bits) {
  const std::vector<Term> terms = make_terms(1, 40, 300);
  ExactScalar scalar;
  const std::vector<float> got = sum_of(terms, 3.7);
  for (std::size_t i = 0; i < got.size(); ++i) {
    Wide sum = 0;
    scalar.clear();
    for (const Term& term : terms) {
      const double x = term.weight * static_cast<double>(term.values[i]);
      sum += addend_of(x);
      scalar.add(x);
    }
    ASSERT_EQ(scalar.value(), static_cast<double>(sum) * 0x1p-60) << i;
    ASSERT_EQ(got[i], static_cast<float>(static_cast<double>(sum) * 0x1p-60 / 3.7)) << i;
  }
}

TEST(ExactSum, DoesNotDependOnTheOrder) {
  std::vector<Term> terms = make_terms(2, 12, 200);
  const std::vector<float> expected = sum_of(terms, 11.0);
  Stream stream({.seed = 2, .purpose = Purpose::kTest, .step = 1});
  for (int trial = 0; trial < 50; ++trial) {
    stream.shuffle(std::span(terms));
    ASSERT_EQ(sum_of(terms, 11.0), expected);
  }
}

TEST(ExactSum, JoinsPartialSums) {
  const std::vector<Term> terms = make_terms(3, 5, 70);
  ExactSum first(70);
  ExactSum second(70);
  for (std::size_t i = 0; i < terms.size(); ++i) (i % 2 == 0 ? first : second).add(0, terms[i].values, terms[i].weight);
  second.add(first);
  std::vector<float> joined(70);
  second.close(0, 2.0, joined);
  EXPECT_EQ(joined, sum_of(terms, 2.0));
}

TEST(ExactSum, KeepsCancellationExact) {
  // In float or double 2^40 + 2^-20 - 2^40 is 0.
  ExactSum sum(1);
  for (const float x : {0x1p40F, 0x1p-20F, -0x1p40F}) sum.add(0, std::span(&x, 1), 1.0);
  float out = 0;
  sum.close(0, 1.0, std::span(&out, 1));
  EXPECT_EQ(out, 0x1p-20F);
}

TEST(ExactSum, HasTheStatedRangeAndResolution) {
  ExactScalar scalar;
  scalar.add(0x1p42);
  EXPECT_EQ(scalar.value(), 0x1p42);
  scalar.clear();
  for (int i = 0; i < 16; ++i) scalar.add(-0x1p38);  // a cohort of 16 at its limit
  EXPECT_EQ(scalar.value(), -0x1p42);
  scalar.clear();
  scalar.add(0x1p-60);
  EXPECT_EQ(scalar.value(), 0x1p-60);
  scalar.clear();
  scalar.add(0x1p-61);  // half a unit: to even, which is 0
  EXPECT_EQ(scalar.value(), 0.0);
  scalar.add(0x1.8p-60);  // one and a half: to even, which is 2
  EXPECT_EQ(scalar.value(), 0x1p-59);
}

TEST(ExactSum, RoundsLargeSumsToDoubleOnce) {
  // 2^42 + 2^-10 + 2^-60: past the half by one unit, so up; 2^42 + 2^-11 exactly: a tie, to even.
  ExactScalar scalar;
  for (const double x : {0x1p42, 0x1p-11, 0x1p-60}) scalar.add(x);
  EXPECT_EQ(scalar.value(), 0x1p42 + 0x1p-10);
  scalar.clear();
  for (const double x : {0x1p42, 0x1p-11}) scalar.add(x);
  EXPECT_EQ(scalar.value(), 0x1p42);
}

TEST(ExactSum, TakesTheFastAndTheSlowWayToTheSameBits) {
  // One large value makes its whole block take the slow way.
  const std::vector<Term> terms = make_terms(4, 1, 900);
  std::vector<float> with_large = terms[0].values;
  with_large.push_back(0x1p40F);
  ExactSum fast(901);
  ExactSum slow(901);
  fast.add(0, terms[0].values, 1.0);
  slow.add(0, with_large, 1.0);
  std::vector<float> a(900);
  std::vector<float> b(900);
  fast.close(0, 3.0, a);
  slow.close(0, 3.0, b);
  EXPECT_EQ(a, b);
}

TEST(ExactSum, AddsAtAnOffsetAndClears) {
  ExactSum sum(4);
  const std::vector<float> values = {1.5F, -2.0F};
  sum.add(1, values, 2.0);
  std::vector<float> out(4);
  sum.close(0, 1.0, out);
  EXPECT_EQ(out, (std::vector<float>{0.0F, 3.0F, -4.0F, 0.0F}));
  sum.clear();
  sum.close(0, 1.0, out);
  EXPECT_EQ(out, std::vector<float>(4, 0.0F));
}

TEST(ExactSum, RefusesWhatIsNotFiniteOrOutOfRange) {
  const auto refuse = [](float value, double weight, std::uint32_t cohort) {
    return ExactSum::refuse(std::vector<float>{1.0F, value, -1.0F}, weight, cohort);
  };
  EXPECT_EQ(refuse(0x1p40F, 4.0, 1), "");
  EXPECT_EQ(refuse(-0x1p40F, 4.0, 1), "");
  EXPECT_EQ(refuse(0x1p40F, 1.0, 4), "");
  EXPECT_EQ(refuse(0x1.000002p40F, 4.0, 1), "a weighted value is out of range");
  EXPECT_EQ(refuse(-0x1p40F, 4.0, 2), "a weighted value is out of range");
  EXPECT_EQ(refuse(std::numeric_limits<float>::quiet_NaN(), 1.0, 1), "a value is not finite");
  EXPECT_EQ(refuse(-std::numeric_limits<float>::quiet_NaN(), 1.0, 1), "a value is not finite");
  EXPECT_EQ(refuse(-std::numeric_limits<float>::infinity(), 1.0, 1), "a value is not finite");
  EXPECT_EQ(refuse(1.0F, std::numeric_limits<double>::infinity(), 1), "a value is not finite");
  EXPECT_EQ(ExactScalar::refuse(0x1p32, 1024), "");
  EXPECT_NE(ExactScalar::refuse(0x1.0000000000001p32, 1024), "");
}

}  // namespace
}  // namespace anybit
