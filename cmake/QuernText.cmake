# The tokenizer and chat-template library: a Rust crate, built by cargo into the static library target `quern_text`.
#
# Its archive is copied to lib/ beside the other archives. What links it needs nothing at run time beyond libc, libm and
# the unwinder, which is linked in statically (-static-libgcc).

# Every build directory of a tree shares one cargo directory: the crates are the same in all of them.
if(DEFINED ENV{CARGO_TARGET_DIR})
  set(quern_cargo_dir $ENV{CARGO_TARGET_DIR})
else()
  set(quern_cargo_dir ${CMAKE_SOURCE_DIR}/build/cargo)
endif()

find_program(QUERN_CARGO cargo REQUIRED)

set(quern_text_dir ${CMAKE_SOURCE_DIR}/runtime/llm/text)
set(quern_text_archive ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/libquern_text.a)
set(quern_text_sources
  Cargo.lock
  Cargo.toml
  src/boundary.rs
  src/chat.rs
  src/file.rs
  src/growth.rs
  src/lib.rs
  src/python.rs
  src/template.rs
  src/tojson.rs
  src/token_text.rs
  src/tokenizer.rs
  src/trial.rs)
list(TRANSFORM quern_text_sources PREPEND ${quern_text_dir}/)

add_custom_command(
  OUTPUT ${quern_text_archive}
  COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${quern_cargo_dir}
          ${QUERN_CARGO} build --release --locked --quiet
  COMMAND ${CMAKE_COMMAND} -E copy ${quern_cargo_dir}/release/libquern_text.a ${quern_text_archive}
  COMMAND ${CMAKE_COMMAND} -E touch ${quern_text_archive}
  WORKING_DIRECTORY ${quern_text_dir}
  DEPENDS ${quern_text_sources}
  COMMENT "Building the text library with cargo"
  VERBATIM)
add_custom_target(quern_text_build DEPENDS ${quern_text_archive})

add_library(quern_text STATIC IMPORTED GLOBAL)
add_dependencies(quern_text quern_text_build)
set_target_properties(quern_text PROPERTIES
  IMPORTED_LOCATION ${quern_text_archive}
  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}
  INTERFACE_LINK_LIBRARIES "m;pthread;dl"
  INTERFACE_LINK_OPTIONS "-static-libgcc")
