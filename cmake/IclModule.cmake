# icl_module(name SOURCES ... DEPS ...): a static library icl_<name>, alias icl::<name>, that shares the precompiled header of icl_pch.
# icl_test(name SOURCES ... DEPS ... LABELS ... TIMEOUT ... [COST seconds] [SHARDS n]): a GoogleTest program <name>_test, one test of
# ctest, or n (<name>.1, …) that run a share of it each. COST is how long each takes alone: the longest begin first.
# icl_program(name SOURCES ... DEPS ...): an installed program.
add_library(icl_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
# In angle brackets: CMake writes a quoted header's absolute path into the precompiled header, and no other checkout could then share
# its compiler cache.
target_precompile_headers(icl_pch PRIVATE <pch.hpp>)
target_include_directories(icl_pch PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/cmake)
target_link_libraries(icl_pch PRIVATE Boost::headers spdlog::spdlog fmt::fmt Threads::Threads)
add_library(icl_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio_impl.cpp)
target_link_libraries(icl_asio PUBLIC Boost::headers Boost::system Threads::Threads)

# What every target of ours has in common.
function(icl_common target)
  target_link_libraries(${target} PUBLIC icl_asio Boost::headers spdlog::spdlog fmt::fmt Threads::Threads)
  target_precompile_headers(${target} REUSE_FROM icl_pch)
endfunction()

function(icl_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(icl_${name} STATIC ${ARG_SOURCES})
  add_library(icl::${name} ALIAS icl_${name})
  target_include_directories(icl_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(icl_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  icl_common(icl_${name})
endfunction()

function(icl_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  icl_common(${name})
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

if(ICL_TESTS)
  # What CI builds under a sanitizer.
  add_custom_target(icl_sanitized_tests)
endif()

# A test's PROCESSORS are quarters of a processor, so that tests that mostly wait run beside each other: `ctest -j` is told four for
# each processor (run_tests in tools/stages.sh). Whoever judges times of a program has one processor or both.
function(icl_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;COST;SHARDS" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_COST)
    set(ARG_COST 0)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(ICL_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 6")
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  target_include_directories(${name}_test PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/test)
  target_compile_definitions(${name}_test PRIVATE ICL_TEST_DATA="${CMAKE_SOURCE_DIR}/test/data")
  target_link_libraries(${name}_test PUBLIC ${ARG_DEPS} GTest::gtest GTest::gtest_main)
  icl_common(${name}_test)
  set(tests ${name})
  if(ARG_SHARDS)
    set(tests)
    math(EXPR last "${ARG_SHARDS} - 1")
    foreach(shard RANGE ${last})
      math(EXPR number "${shard} + 1")
      list(APPEND tests ${name}.${number})
      add_test(NAME ${name}.${number} COMMAND ${CMAKE_COMMAND} -E env GTEST_TOTAL_SHARDS=${ARG_SHARDS} GTEST_SHARD_INDEX=${shard}
        $<TARGET_FILE:${name}_test>)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  set_tests_properties(${tests} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} PROCESSORS 4 COST ${ARG_COST})
  if(ICL_SANITIZE STREQUAL "thread")
    if("threaded" IN_LIST ARG_LABELS)
      add_dependencies(icl_sanitized_tests ${name}_test)
    endif()
  elseif("unit" IN_LIST ARG_LABELS OR "sim" IN_LIST ARG_LABELS)
    add_dependencies(icl_sanitized_tests ${name}_test)
  endif()
endfunction()
