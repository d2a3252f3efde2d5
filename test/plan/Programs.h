//===- Programs.h - small programs in tensor form -------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text of programs with one operation or a chain, for tests of bounds, oracle
// and planner.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TEST_PLAN_PROGRAMS_H
#define ACC_TEST_PLAN_PROGRAMS_H

#include "acc/Plan/Oracle.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <string>

namespace accel::test {

/// A module in tensor form from its text, with its compute operations.
struct Program {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::SmallVector<mlir::Operation *> ops;

  explicit Program(const std::string &body) {
    context.loadDialect<AccelDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(body, &context);
    if (module)
      module->walk([&](ComputeOpInterface op) { ops.push_back(op); });
  }
  mlir::func::FuncOp main() { return *module->getOps<mlir::func::FuncOp>().begin(); }

  /// Operations first..first+count-1 as a group.
  GroupOps group(const OracleGroup &plan) {
    GroupOps group;
    for (unsigned i = plan.first; i < plan.first + plan.count; ++i)
      group.members.push_back(ops[i]);
    auto external = [&](mlir::Value value, bool inSram) {
      External e;
      e.value = value;
      e.layout = Layout::dense(mlir::cast<mlir::RankedTensorType>(value.getType()).getShape());
      e.inSram = inSram;
      e.constant = value.getDefiningOp<ConstantOp>() != nullptr;
      return e;
    };
    for (mlir::Operation *op : group.members)
      for (mlir::Value operand : op->getOperands())
        if (!llvm::is_contained(group.members, operand.getDefiningOp()))
          group.inputs.push_back(external(operand, plan.inputResident && group.inputs.empty() &&
                                                       op == group.members[0]));
    group.outputs.push_back(external(group.members.back()->getResult(0), plan.resultResident));
    return group;
  }
};

inline std::string shape(std::initializer_list<int64_t> sizes, const char *element) {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

inline std::string matmul(int64_t m, int64_t n, int64_t k, const char *element = "f32") {
  std::string a = shape({1, m, k}, element), b = shape({1, k, n}, element),
              c = shape({1, m, n}, "f32");
  return "func.func @main(%a: " + a + ", %b: " + b + ") -> " + c +
         " {\n  %c = accel.matmul %a, %b : (" + a + ", " + b + ") -> " + c +
         " {\n  ^bb0(%v: f32):\n    accel.yield %v : f32\n  }\n  return %c : " + c + "\n}\n";
}

inline std::string conv(const std::string &in, const std::string &x, int64_t h, int64_t channels,
                        const std::string &out, int64_t result, int64_t kernel, int64_t stride,
                        bool depthwise = false) {
  int64_t pad = kernel / 2, oh = (h + 2 * pad - kernel) / stride + 1;
  std::string weight = depthwise ? shape({kernel * kernel, channels}, "f32")
                                 : shape({1, kernel * kernel * channels, result}, "f32");
  std::string xs = shape({1, h, h, channels}, "f32"), ys = shape({1, oh, oh, result}, "f32");
  auto two = [](int64_t v) {
    return "array<i64: " + std::to_string(v) + ", " + std::to_string(v) + ">";
  };
  std::string p = std::to_string(pad);
  return "  " + out + " = accel.conv " + x + ", " + in + " attributes {kernel = " + two(kernel) +
         ", strides = " + two(stride) + ", pads = array<i64: " + p + ", " + p + ", " + p + ", " +
         p + ">, dilations = array<i64: 1, 1>, input_dilations = array<i64: 1, 1>, groups = " +
         std::to_string(depthwise ? channels : 1) + " : i64} : (" + xs + ", " + weight + ") -> " +
         ys + " {\n  ^bb0(%v: f32):\n    accel.yield %v : f32\n  }\n";
}

inline std::string convolution(int64_t h, int64_t channels, int64_t result, int64_t kernel,
                               int64_t stride, bool depthwise = false) {
  int64_t pad = kernel / 2, oh = (h + 2 * pad - kernel) / stride + 1;
  std::string weight = depthwise ? shape({kernel * kernel, channels}, "f32")
                                 : shape({1, kernel * kernel * channels, result}, "f32");
  std::string y = shape({1, oh, oh, result}, "f32");
  return "func.func @main(%x: " + shape({1, h, h, channels}, "f32") + ", %w: " + weight + ") -> " +
         y + " {\n" + conv("%w", "%x", h, channels, "%y", result, kernel, stride, depthwise) +
         "  return %y : " + y + "\n}\n";
}

/// A matmul of a chain, `out` = `in` [m, k] times `w`.
inline std::string product(const std::string &out, const std::string &in, const std::string &w,
                           int64_t m, int64_t k, int64_t n) {
  std::string a = shape({1, m, k}, "f32"), b = shape({1, k, n}, "f32"), c = shape({1, m, n}, "f32");
  return "  " + out + " = accel.matmul " + in + ", " + w + " : (" + a + ", " + b + ") -> " + c +
         " {\n  ^bb0(%v: f32):\n    accel.yield %v : f32\n  }\n";
}

/// The inverted bottleneck of MobileNetV2: expand, depthwise, project.
inline std::string bottleneck(int64_t h, int64_t channels, int64_t inner) {
  std::string y = shape({1, h, h, channels}, "f32");
  return "func.func @main(%x: " + y + ", %w0: " + shape({1, channels, inner}, "f32") +
         ", %w1: " + shape({9, inner}, "f32") + ", %w2: " + shape({1, inner, channels}, "f32") +
         ") -> " + y + " {\n" + conv("%w0", "%x", h, channels, "%a", inner, 1, 1) +
         conv("%w1", "%a", h, inner, "%b", inner, 3, 1, true) +
         conv("%w2", "%b", h, inner, "%y", channels, 1, 1) + "  return %y : " + y + "\n}\n";
}

/// Two convolutions, the second with a stride.
inline std::string twoConvolutions(int64_t h, int64_t a, int64_t b, int64_t c, int64_t kernel,
                                   int64_t stride) {
  int64_t oh = (h + 2 * (kernel / 2) - kernel) / stride + 1;
  std::string z = shape({1, oh, oh, c}, "f32");
  return "func.func @main(%x: " + shape({1, h, h, a}, "f32") +
         ", %w0: " + shape({1, kernel * kernel * a, b}, "f32") +
         ", %w1: " + shape({1, kernel * kernel * b, c}, "f32") + ") -> " + z + " {\n" +
         conv("%w0", "%x", h, a, "%a", b, kernel, 1) +
         conv("%w1", "%a", h, b, "%z", c, kernel, stride) + "  return %z : " + z + "\n}\n";
}

/// Up, a bias, down.
inline std::string perceptron(int64_t rows, int64_t width, int64_t inner) {
  std::string x = shape({1, rows, width}, "f32"), h = shape({1, rows, inner}, "f32");
  std::string bias = shape({inner}, "f32");
  return "#id = affine_map<(a, b, c) -> (a, b, c)>\n#last = affine_map<(a, b, c) -> (c)>\n"
         "func.func @main(%x: " +
         x + ", %w0: " + shape({1, width, inner}, "f32") + ", %bias: " + bias +
         ", %w1: " + shape({1, inner, width}, "f32") + ") -> " + x + " {\n" +
         product("%a", "%x", "%w0", rows, width, inner) +
         "  %b = accel.map extras(%a, %bias) attributes {maps = [#id, #last]} : (" + h + ", " +
         bias + ") -> " + h +
         " {\n  ^bb0(%v: f32, %u: f32):\n    %s = arith.addf %v, %u : f32\n"
         "    accel.yield %s : f32\n  }\n" +
         product("%y", "%b", "%w1", rows, inner, width) + "  return %y : " + x + "\n}\n";
}

} // namespace accel::test

#endif // ACC_TEST_PLAN_PROGRAMS_H
