# TableGen: one generated file per call, collected by acc_tablegen_target.
include_guard(GLOBAL)

set(ACC_MLIR_TBLGEN "${ACC_LLVM_DIR}/bin/mlir-tblgen")

# acc_tablegen(TD OUTPUT GENERATOR-ARGUMENTS... [TOOL program] [DEPENDS files...])
# Writes OUTPUT (relative to the current build folder, or absolute) from TD.
# TOOL defaults to mlir-tblgen; a target's name (acc-tblgen) works too. Adds the
# output to ACC_TABLEGEN_OUTPUTS of the calling folder.
macro(acc_tablegen td output)
  cmake_parse_arguments(TBLGEN "" "TOOL" "DEPENDS" ${ARGN})
  if(NOT TBLGEN_TOOL)
    set(TBLGEN_TOOL "${ACC_MLIR_TBLGEN}")
  endif()
  get_filename_component(tblgen_td "${td}" ABSOLUTE)
  get_filename_component(tblgen_out "${output}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  get_filename_component(tblgen_dir "${tblgen_out}" DIRECTORY)
  get_filename_component(tblgen_td_dir "${tblgen_td}" DIRECTORY)
  file(MAKE_DIRECTORY "${tblgen_dir}")
  add_custom_command(
    OUTPUT "${tblgen_out}"
    COMMAND "${TBLGEN_TOOL}" ${TBLGEN_UNPARSED_ARGUMENTS} "${tblgen_td}"
            -I "${tblgen_td_dir}" -I "${PROJECT_SOURCE_DIR}/dialects"
            -I "${PROJECT_BINARY_DIR}/dialects" -I "${PROJECT_SOURCE_DIR}/include"
            -I "${ACC_LLVM_DIR}/include"
            --write-if-changed -d "${tblgen_out}.d" -o "${tblgen_out}"
    DEPFILE "${tblgen_out}.d"
    DEPENDS "${tblgen_td}" "${TBLGEN_TOOL}" ${TBLGEN_DEPENDS}
    COMMENT "TableGen ${output}"
    VERBATIM)
  list(APPEND ACC_TABLEGEN_OUTPUTS "${tblgen_out}")
endmacro()

# A target for everything that acc_tablegen declared in this folder so far.
# Libraries name it in DEPENDS; whatever links them waits for it too.
macro(acc_tablegen_target name)
  add_custom_target(${name} DEPENDS ${ACC_TABLEGEN_OUTPUTS})
  set(ACC_TABLEGEN_OUTPUTS)
endmacro()
