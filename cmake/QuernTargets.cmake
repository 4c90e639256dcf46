# How every library of the compiler is built: one function, so that flags and include directories are said once.

# quern_library(NAME SOURCES... [DEPENDS tablegen-targets...] [LINK libraries...] [EXCEPTIONS] [PRECOMPILED])
#
# A static library of the compiler. It sees the repository root as its include root, LLVM's and MLIR's headers, and links
# the shared libMLIR and libLLVM. Exceptions and RTTI are off, except in the one library that calls Halide. PRECOMPILED
# libraries share Precompiled.h, which the dialect's library compiles.
function(quern_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS;PRECOMPILED" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(ARG_PRECOMPILED AND name STREQUAL "QuernDialect")
    target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)
  elseif(ARG_PRECOMPILED)
    target_precompile_headers(${name} REUSE_FROM QuernDialect)
  endif()
endfunction()

# quern_tool(NAME SOURCES... [LINK libraries...] [EXCEPTIONS])
#
# An executable of the compiler, linked against the shared libMLIR and libLLVM. EXCEPTIONS is for command lines, which CLI11 parses.
function(quern_tool name)
  cmake_parse_arguments(ARG "EXCEPTIONS" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter)
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
endfunction()
