# acc_add_library, acc_add_tool, acc_add_gtest: one way to declare each kind of
# target. Sources default to every *.cpp of the current folder, found again at
# each build, so that adding a file touches no CMake.
include_guard(GLOBAL)

# Applies to every target that is compiled against MLIR.
function(acc_configure_mlir_target name)
  cmake_parse_arguments(ARG "NO_PCH" "" "" ${ARGN})
  target_include_directories(${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include"
    "${PROJECT_SOURCE_DIR}/dialects" "${PROJECT_BINARY_DIR}/dialects")
  target_link_libraries(${name} PUBLIC acc_mlir)
  # Parsing MLIR's headers takes ten seconds a file; a shared precompiled header
  # brings that under one.
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM AccPch)
  endif()
endfunction()

# acc_add_library(NAME [sources...] [LINK libraries...] [DEPENDS targets...] [NO_PCH])
# A static library. Without sources it is an empty interface, so that a stage
# that is still to be written configures too.
function(acc_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK;DEPENDS" ${ARGN})
  set(sources ${ARG_UNPARSED_ARGUMENTS})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  if(ARG_NO_PCH)
    acc_configure_mlir_target(${name} NO_PCH)
  else()
    acc_configure_mlir_target(${name})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# acc_add_tool(NAME [sources...] [LINK libraries...]): an executable in build/bin.
function(acc_add_tool name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK" ${ARGN})
  set(sources ${ARG_UNPARSED_ARGUMENTS})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  if(ARG_NO_PCH)
    acc_configure_mlir_target(${name} NO_PCH)
  else()
    acc_configure_mlir_target(${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# acc_add_gtest(NAME [sources...] [LINK libraries...]): a googletest program in
# build/bin/tests, run by ctest (and counted test by test by scripts/test).
function(acc_add_gtest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  set(sources ${ARG_UNPARSED_ARGUMENTS})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  acc_configure_mlir_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/tests")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()

function(acc_add_subdirectory_if_present folder)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
    add_subdirectory(${folder})
  endif()
endfunction()
