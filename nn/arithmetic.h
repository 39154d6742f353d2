#pragma once

namespace anybit {

// Our own elementary functions: the same bits with every libm and on every machine (DESIGN D6). Straight-line
// polynomial code without branches on data, so loops over them vectorise. Errors are tested against libm.

/// e^x, relative error below 2e-7; saturates to 0 below -87 and to the largest float above 88.
float fixed_exp(float x);
/// Double versions, relative error below 1e-14 (absolute near log 1 = 0).
double fixed_exp(double x);
double fixed_log(double x);           // x > 0
double fixed_log2(double x);          // x > 0, exact for powers of two
double fixed_exp2(double x);          // exact for whole x in [-1022, 1023]
double fixed_sin2pi(double turns);    // sin(2 pi t)
double fixed_cos2pi(double turns);
double fixed_tanh(double x);

}  // namespace anybit
