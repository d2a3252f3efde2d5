# LLVM, MLIR and ONNX. The rest (abseil, flatbuffers, highway, json, gtest) is
# found by runtime/, which needs nothing of this file.
include_guard(GLOBAL)

set(ACC_LLVM_DIR /usr/lib/llvm-22 CACHE PATH "prefix of LLVM and MLIR 22.1")
# "22" alone is refused by MLIR's version file.
find_package(MLIR 22.1 REQUIRED CONFIG
             PATHS "${ACC_LLVM_DIR}/lib/cmake/mlir" NO_DEFAULT_PATH)
separate_arguments(ACC_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# The shared libraries, as one target. Upstream's static libraries must not be
# linked beside it: their command-line options would register twice.
add_library(acc_mlir INTERFACE)
target_link_libraries(acc_mlir INTERFACE MLIR LLVM)
target_include_directories(acc_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(acc_mlir INTERFACE ${ACC_LLVM_DEFINITIONS})

# registerAllDialects and friends live in archives only, which need nothing but
# the shared library: linked as files, without the dependencies of their targets.
add_library(acc_mlir_all INTERFACE)
target_link_libraries(acc_mlir_all INTERFACE
  "${ACC_LLVM_DIR}/lib/libMLIRRegisterAllDialects.a"
  "${ACC_LLVM_DIR}/lib/libMLIRRegisterAllPasses.a"
  "${ACC_LLVM_DIR}/lib/libMLIRRegisterAllExtensions.a"
  acc_mlir)

# ONNX's C++ library, built by scripts/setup into a cache folder. Asked again at
# each configuration: the folder's name changes with version and flags.
set(ACC_ONNX_DIR "" CACHE PATH "prefix of ONNX 1.22's C++ library; empty: scripts/onnx-prefix")
set(acc_onnx_dir "${ACC_ONNX_DIR}")
if(NOT acc_onnx_dir)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS scripts/onnx-prefix)
  execute_process(COMMAND "${CMAKE_SOURCE_DIR}/scripts/onnx-prefix"
                  OUTPUT_VARIABLE acc_onnx_dir OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT EXISTS "${acc_onnx_dir}/lib/cmake/ONNX/ONNXConfig.cmake")
  message(FATAL_ERROR "no ONNX C++ library in '${acc_onnx_dir}': run scripts/setup "
                      "(or make build), which builds it once, or set ACC_ONNX_DIR")
endif()
find_package(Protobuf REQUIRED) # before ONNX, whose targets refer to it
unset(ONNX_DIR CACHE) # a remembered place would outlive a change of the above
find_package(ONNX 1.22 REQUIRED CONFIG PATHS "${acc_onnx_dir}" NO_DEFAULT_PATH)
add_library(acc_onnx INTERFACE)
target_link_libraries(acc_onnx INTERFACE ONNX::onnx)
target_include_directories(acc_onnx SYSTEM INTERFACE "${acc_onnx_dir}/include")

find_package(tomlplusplus REQUIRED)
