#pragma once

namespace caracal::pipeline {

/// Logarithms and exponentials made of + - x / and square root alone. libm may differ in the last
/// bit between hosts; these do not, so a seed gives the same load everywhere. Relative error below
/// 1e-14, except InverseNormal. Pure; any thread.

/// 2^x for x in [-1000, 1000].
double PortableExp2(double x);
/// log2(x) for a normal, positive x.
double PortableLog2(double x);
/// x^y for x > 0.
double PortablePow(double x, double y);
/// The z whose standard normal distribution function is p, for p in (0, 1). Absolute error below
/// 1e-8 (P. J. Acklam's rational approximation, relative error 1.15e-9).
double InverseNormal(double p);

}  // namespace caracal::pipeline
