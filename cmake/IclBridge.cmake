# icl::bridge: the Rust static library of rust/bridge, built by cargo as part of the build.
# Cargo's target folder is in the user's cache folder, so a fresh clone finds the dependencies built, and the same sources too
# (tools/bridge_cargo.sh).
# libp2p needs rustc 1.88; Debian 12 has that as the packages cargo-web and rustc-web, in /usr/bin.
set(ICL_RUST_VERSION_MIN 1.88)

function(icl_rustc_version program out)
  set(${out} "" PARENT_SCOPE)
  if(program AND EXISTS "${program}")
    execute_process(COMMAND "${program}" --version OUTPUT_VARIABLE text ERROR_QUIET)
    if(text MATCHES "rustc ([0-9]+\\.[0-9]+\\.[0-9]+)")
      set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

find_program(ICL_CARGO_PATH cargo PATHS "$ENV{HOME}/.cargo/bin")
find_program(ICL_RUSTC_PATH rustc PATHS "$ENV{HOME}/.cargo/bin")
icl_rustc_version("${ICL_RUSTC_PATH}" icl_rustc_found)
icl_rustc_version(/usr/bin/rustc icl_rustc_debian)
if(ICL_CARGO_PATH AND icl_rustc_found VERSION_GREATER_EQUAL ICL_RUST_VERSION_MIN)
  set(icl_cargo ${ICL_CARGO_PATH})
  set(icl_rustc ${ICL_RUSTC_PATH})
elseif(EXISTS /usr/bin/cargo AND icl_rustc_debian VERSION_GREATER_EQUAL ICL_RUST_VERSION_MIN)
  set(icl_cargo /usr/bin/cargo)
  set(icl_rustc /usr/bin/rustc)
else()
  message(FATAL_ERROR "rustc ${ICL_RUST_VERSION_MIN} or newer is needed for rust/bridge (found: "
    "'${icl_rustc_found}'). Install the packages cargo-web and rustc-web, or rustup.")
endif()

if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(icl_cache "$ENV{XDG_CACHE_HOME}")
else()
  set(icl_cache "$ENV{HOME}/.cache")
endif()
set(ICL_CARGO_TARGET_DIR "${icl_cache}/ipfscluster/cargo-target" CACHE PATH "Where cargo builds rust/bridge")

set(icl_bridge_dir ${CMAKE_SOURCE_DIR}/rust/bridge)
set(icl_bridge_lib ${CMAKE_BINARY_DIR}/rust/libicl_bridge.a)
file(GLOB_RECURSE icl_bridge_sources CONFIGURE_DEPENDS ${icl_bridge_dir}/src/*.rs)
set(icl_bridge_cargo ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${ICL_CARGO_TARGET_DIR} CARGO=${icl_cargo} RUSTC=${icl_rustc}
  ${CMAKE_SOURCE_DIR}/tools/bridge_cargo.sh)
add_custom_command(OUTPUT ${icl_bridge_lib}
  COMMAND ${icl_bridge_cargo} lib ${icl_bridge_lib}
  DEPENDS ${icl_bridge_sources} ${icl_bridge_dir}/Cargo.toml ${icl_bridge_dir}/Cargo.lock
  COMMENT "Building rust/bridge with cargo"
  VERBATIM)
add_custom_target(icl_bridge_clippy COMMAND ${icl_bridge_cargo} clippy COMMENT "Linting rust/bridge" VERBATIM)
add_custom_target(icl_bridge_build DEPENDS ${icl_bridge_lib})

add_library(icl_bridge STATIC IMPORTED GLOBAL)
set_target_properties(icl_bridge PROPERTIES
  IMPORTED_LOCATION ${icl_bridge_lib}
  INTERFACE_INCLUDE_DIRECTORIES ${icl_bridge_dir}/include)
target_link_libraries(icl_bridge INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(icl_bridge icl_bridge_build)
add_library(icl::bridge ALIAS icl_bridge)
