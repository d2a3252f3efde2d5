//===- IsaSteps.td - steps of vector programs ------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_STEPS_TD
#define ISA_STEPS_TD

include "IsaLayouts.td"

class AnyStep<string name, string cpp, int value, int operands, string text>
    : IsaStep<name, cpp, value, operands, 1, 1, text>;
class FloatStep<string name, string cpp, int value, int operands, string text>
    : IsaStep<name, cpp, value, operands, 1, 0, text>;
class IntStep<string name, string cpp, int value, int operands, string text>
    : IsaStep<name, cpp, value, operands, 0, 1, text>;

def : AnyStep<"imm", "Imm", 0, 0, "imm: the bits of an f64 (float types, rounded to the type) or of an i64">;
def : AnyStep<"mov", "Mov", 1, 1, "a">;
def : AnyStep<"iota", "Iota", 2, 0, "index in dimension `a` of the point">;
def : AnyStep<"add", "Add", 3, 2, "a + b; integers wrap">;
def : AnyStep<"sub", "Sub", 4, 2, "a − b; integers wrap">;
def : AnyStep<"mul", "Mul", 5, 2, "a · b; integers wrap">;
def : AnyStep<"div", "Div", 6, 2, "a / b; integers toward zero, x / 0 = 0">;
def : AnyStep<"min", "Min", 7, 2, "lesser; NaN if either is, −0 < +0">;
def : AnyStep<"max", "Max", 8, 2, "greater; NaN if either is, −0 < +0">;
def : AnyStep<"fma", "Fma", 9, 3, "a · b + c, float rounded once">;
def : AnyStep<"neg", "Neg", 10, 1, "−a">;
def : AnyStep<"abs", "Abs", 11, 1, "|a|">;
def : FloatStep<"sqrt", "Sqrt", 12, 1, "square root, correctly rounded">;
def : FloatStep<"rsqrt", "Rsqrt", 13, 1, "1 / √a: a division after a square root">;
def : FloatStep<"recip", "Recip", 14, 1, "1 / a, correctly rounded">;
def : FloatStep<"exp", "Exp", 15, 1, "e^a, a fixed polynomial">;
def : FloatStep<"log", "Log", 16, 1, "natural logarithm, a fixed polynomial">;
def : FloatStep<"tanh", "Tanh", 17, 1, "hyperbolic tangent, a fixed polynomial">;
def : FloatStep<"erf", "Erf", 18, 1, "error function, a fixed polynomial">;
def : FloatStep<"sigmoid", "Sigmoid", 19, 1, "1 / (1 + e^−a)">;
def : FloatStep<"floor", "Floor", 20, 1, "toward −∞">;
def : FloatStep<"ceil", "Ceil", 21, 1, "toward +∞">;
def : FloatStep<"rne", "Rne", 22, 1, "to nearest, ties to even">;
def : FloatStep<"trunc", "Trunc", 23, 1, "toward zero">;
def : AnyStep<"sign", "Sign", 24, 1, "−1, 0 or 1; NaN for NaN">;
def : AnyStep<"pow", "Pow", 25, 2, "a^b, a fixed polynomial; integers by repeated squares">;
def : FloatStep<"sin", "Sin", 26, 1, "sine, a fixed polynomial">;
def : FloatStep<"cos", "Cos", 27, 1, "cosine, a fixed polynomial">;
def : FloatStep<"atan", "Atan", 28, 1, "arc tangent, a fixed polynomial">;
def : AnyStep<"mod", "Mod", 29, 2, "remainder with the divisor's sign; integers: x mod 0 = 0">;
def : AnyStep<"fmod", "FMod", 30, 2, "remainder with the dividend's sign">;
def : AnyStep<"cmpeq", "CmpEq", 31, 2, "a = b; the result is an i32; operands of `type`; false for NaN">;
def : AnyStep<"cmpne", "CmpNe", 32, 2, "a ≠ b; true for NaN">;
def : AnyStep<"cmplt", "CmpLt", 33, 2, "a < b">;
def : AnyStep<"cmple", "CmpLe", 34, 2, "a ≤ b">;
def : AnyStep<"cmpgt", "CmpGt", 35, 2, "a > b">;
def : AnyStep<"cmpge", "CmpGe", 36, 2, "a ≥ b">;
def : AnyStep<"select", "Select", 37, 3, "a ≠ 0 ? b : c; a is an i32">;
def : IntStep<"and", "And", 38, 2, "bitwise and">;
def : IntStep<"or", "Or", 39, 2, "bitwise or">;
def : IntStep<"xor", "Xor", 40, 2, "bitwise exclusive or">;
def : IntStep<"not", "Not", 41, 1, "bitwise complement">;
def : IntStep<"shl", "Shl", 42, 2, "a · 2^b; 0 if b is outside of the bits">;
def : IntStep<"shr", "Shr", 43, 2, "logical shift right; 0 if b is outside of the bits">;
def : IntStep<"sar", "Sar", 44, 2, "arithmetic shift right; the sign if b is outside of the bits">;
def : AnyStep<"cvt", "Cvt", 45, 1, "converts from the type in `b`: float to integer rounds to nearest even and saturates, NaN gives 0; i64 to i32 wraps">;
def : FloatStep<"isnan", "IsNan", 46, 1, "whether a is a NaN, as an i32">;
def : FloatStep<"isinf", "IsInf", 47, 1, "whether a is infinite, as an i32">;
def : AnyStep<"reg", "Reg", 48, 0, "value of the scalar register `a` at dispatch: i32 keeps the low bits, floats round to nearest even">;

#endif // ISA_STEPS_TD
