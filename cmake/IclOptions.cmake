# Compiler, warnings, sanitizers and the packages every module may use.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
option(ICL_TESTS "Build the tests" ON)
set(ICL_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

find_program(ICL_CCACHE ccache)
if(ICL_CCACHE)
  # A precompiled header is only cacheable when its time stamp is not part of the key.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ICL_CCACHE})
endif()
find_program(ICL_LLD ld.lld)
if(ICL_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers
  -Werror -fno-strict-aliasing -ffunction-sections -fdata-sections -fpch-preprocess)
# g++ 12 reports false positives of these inside Boost and libstdc++ once coroutines are inlined.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds -Wno-restrict -Wno-mismatched-new-delete -Wno-tsan)
endif()
add_link_options(-Wl,--gc-sections)

if(ICL_SANITIZE)
  add_compile_options(-fsanitize=${ICL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ICL_SANITIZE})
endif()

find_package(Threads REQUIRED)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS system json)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ALLOW_DEPRECATED_HEADERS
  SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
