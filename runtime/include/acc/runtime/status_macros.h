//===- status_macros.h - Handing a failure to the caller ------------------===//
#ifndef ACC_RUNTIME_STATUS_MACROS_H
#define ACC_RUNTIME_STATUS_MACROS_H

/// Returns the status of `expr` from the enclosing function unless it is OK.
#define ACC_RETURN_IF_ERROR(expr)                                                                  \
  do {                                                                                             \
    if (auto status_ = (expr); !status_.ok())                                                      \
      return status_;                                                                              \
  } while (0)

#endif // ACC_RUNTIME_STATUS_MACROS_H
