# Language, warnings, linker and compiler cache; shared by the compiler and the
# stand-alone runtime.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2" CACHE STRING "" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2" CACHE STRING "" FORCE)

# -fPIC by hand, not by property: every target, tools included, must agree with
# the shared precompiled header.
# -ffp-contract=off: a fused multiply-add is part of an operation's definition
# and written out where it is meant, never the compiler's choice (contract C2).
add_compile_options(-fPIC -ffp-contract=off -Wall -Wextra -Wno-unused-parameter)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-fcolor-diagnostics -Wno-missing-field-initializers
                      -Wno-missing-designated-field-initializers)
  find_program(ACC_LLD NAMES ld.lld-22 ld.lld)
  if(ACC_LLD)
    add_link_options("-fuse-ld=${ACC_LLD}" -Wno-unused-command-line-argument)
  endif()
endif()

find_program(ACC_CCACHE ccache)
if(ACC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The two sloppinesses are what ccache's manual asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${ACC_CCACHE}")
endif()
