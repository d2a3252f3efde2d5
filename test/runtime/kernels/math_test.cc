// The fixed polynomials: error against double precision over all exponents, and
// the same bits on every SIMD level. The bounds are those of math-inl.h.
#include "acc/runtime/vprog.h"
#include "every_target.h"
#include "number_formats.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace accel::rt {
namespace {

/// Distance of `got` from the exact value in units of the exact value's ulp.
double Ulps(float got, double exact) {
  if (exact != exact)
    return got != got ? 0 : 1e9;
  if (std::fabs(exact) > 3.4028235677973366e38) // rounds to infinity
    return std::isinf(got) && (got > 0) == (exact > 0) ? 0 : 1e9;
  int e;
  std::frexp(exact, &e);
  double ulp = std::ldexp(1.0, std::max(e - 24, -149));
  return std::fabs(double(got) - exact) / ulp;
}

std::vector<float> Samples(uint32_t step) {
  std::vector<float> x;
  for (uint64_t u = 0; u <= 0xffffffffull; u += step)
    x.push_back(std::bit_cast<float>(uint32_t(u)));
  for (float v : {0.0f, -0.0f, 1.0f, -1.0f, 0.625f, 0.9375f, 88.72284f, 88.7228394f, -87.33655f,
                  -103.97f, -104.0f, 65535.99f, 65536.0f, 1e30f, 3.4028235e38f})
    x.push_back(v);
  return x;
}

struct Function {
  VOp op;
  double (*exact)(double);
  double bound;
};

double ExactSigmoid(double x) { return 1 / (1 + std::exp(-x)); }

const Function kFunctions[] = {
    {VOp::Exp, std::exp, 1.0}, {VOp::Log, std::log, 0.8},         {VOp::Tanh, std::tanh, 1.3},
    {VOp::Erf, std::erf, 1.0}, {VOp::Sigmoid, ExactSigmoid, 2.1}, {VOp::Sin, std::sin, 1.6},
    {VOp::Cos, std::cos, 1.6}, {VOp::Atan, std::atan, 1.8},
};

TEST(Math, ErrorWithinBounds) {
  std::vector<float> x = Samples(4099), y(x.size());
  for (const Function &f : kFunctions) {
    VStep s{f.op};
    EvalStep(s, x.data(), nullptr, nullptr, y.data(), int64_t(x.size()));
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double u = Ulps(y[i], f.exact(double(x[i])));
      if (u > worst)
        worst = u, at = x[i];
    }
    printf("%-8s %.2f ulp at %a\n", VOpName(f.op), worst, double(at));
    EXPECT_LE(worst, f.bound) << VOpName(f.op) << " at " << at;
  }
}

TEST(Math, PowErrorWithinBounds) {
  Random rng{5};
  std::vector<float> x, y;
  for (int i = 0; i < 200000; ++i) {
    x.push_back(std::exp2(float(rng.Int(-2000, 2000)) / 100.0f) * (rng.Coin(20) ? -1.0f : 1.0f));
    y.push_back(rng.Coin(30) ? float(rng.Int(-6, 6)) : float(rng.Int(-8000, 8000)) / 1000.0f);
  }
  for (float a : {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 2.0f, -2.0f, 0.5f})
    for (float b : {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 2.0f, 3.0f, -3.0f, 0.5f})
      if (!(a == -1 && std::isinf(b)))
        x.push_back(a), y.push_back(b);
  std::vector<float> z(x.size());
  VStep s{VOp::Pow};
  EvalStep(s, x.data(), y.data(), nullptr, z.data(), int64_t(x.size()));
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_LE(Ulps(z[i], std::pow(double(x[i]), double(y[i]))), 1.0) << x[i] << "^" << y[i];
}

TEST(Math, F64WithinBounds) {
  Random rng{6};
  std::vector<double> x;
  for (int i = 0; i < 20000; ++i)
    x.push_back(double(rng.Int(-1000000, 1000000)) / (rng.Coin(50) ? 1e5 : 3e4));
  std::vector<double> y(x.size());
  struct {
    VOp op;
    double (*exact)(double);
  } list[] = {{VOp::Exp, std::exp}, {VOp::Tanh, std::tanh},      {VOp::Erf, std::erf},
              {VOp::Sin, std::sin}, {VOp::Cos, std::cos},        {VOp::Atan, std::atan},
              {VOp::Log, std::log}, {VOp::Sigmoid, ExactSigmoid}};
  for (auto &f : list) {
    VStep s{f.op};
    s.type = VType::F64;
    EvalStep(s, x.data(), nullptr, nullptr, y.data(), int64_t(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      double want = f.exact(x[i]);
      if (want != want)
        EXPECT_NE(y[i], y[i]);
      else
        ASSERT_NEAR(y[i], want, std::fabs(want) * 4e-15 + 1e-15) << VOpName(f.op) << " " << x[i];
    }
  }
}

TEST(Math, SameBitsOnEveryTarget) {
  std::vector<float> x = Samples(262147), y(x.rbegin(), x.rend()), first, z(x.size());
  for (VOp op : {VOp::Exp, VOp::Log, VOp::Tanh, VOp::Erf, VOp::Sigmoid, VOp::Sin, VOp::Cos,
                 VOp::Atan, VOp::Pow, VOp::Rsqrt, VOp::Mod}) {
    first.clear();
    ForEveryTarget([&](const char *name) {
      EvalStep(VStep{op}, x.data(), y.data(), nullptr, z.data(), int64_t(x.size()));
      for (float &v : z)
        v = CanonicalF32(v);
      if (first.empty())
        first = z;
      EXPECT_EQ(std::memcmp(first.data(), z.data(), z.size() * 4), 0) << VOpName(op) << " " << name;
    });
  }
}

} // namespace
} // namespace accel::rt
