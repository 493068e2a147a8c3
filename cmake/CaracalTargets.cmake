# One call per folder. A target may include only what its DEPS and PRIVATE_DEPS name: this is how the
# layers of ARCHITECTURE.md are enforced by the linker (and by tests/tidy for header-only ones).

# Objects that hold both code and what link-time optimisation needs are gcc's.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CARACAL_HOT_LINK ON)
endif()

# caracal_link(target fast|quickly): a program that is to be fast, or that is to be linked quickly.
function(caracal_link target how)
  if(CARACAL_HOT_LINK)
    target_link_options(${target} PRIVATE "$<IF:$<STREQUAL:${how},fast>,-flto=auto,-fno-lto>")
  endif()
endfunction()

# caracal_library(name HEADERS ... SOURCES ... DEPS ... PRIVATE_DEPS ... [COLD|HOT])
#   makes caracal_<name> and the alias caracal::<name>; no SOURCES = a header-only target. COLD: it
#   is not on the path of an event, so that sanitized builds need not spend their time on it. HOT:
#   every event passes it, so that programs linked to be fast (caracal_link) are optimised across its
#   files and those of other such libraries. Others (tests) link its code as it was compiled.
function(caracal_library name)
  cmake_parse_arguments(ARG "COLD;HOT" "" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target caracal_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_link_libraries(
      ${target}
      PUBLIC ${ARG_DEPS}
      PRIVATE ${ARG_PRIVATE_DEPS} caracal_warnings caracal_sanitizers)
    if(NOT CARACAL_BUILD_FUZZERS)
      set_target_properties(${target} PROPERTIES CARACAL_COLD "${ARG_COLD}")
    endif()
    if(ARG_HOT AND CARACAL_HOT_LINK)
      target_compile_options(${target} PRIVATE -flto -ffat-lto-objects)
    endif()
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${ARG_DEPS})
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "${PROJECT_SOURCE_DIR}/src")
  # Which headers are compiled by themselves: a header with a source is the first it includes.
  set(headers_alone ${ARG_HEADERS})
  list(TRANSFORM ARG_SOURCES REPLACE "\\.cc$" ".h" OUTPUT_VARIABLE headers_of_sources)
  list(REMOVE_ITEM headers_alone ${headers_of_sources})
  list(REMOVE_ITEM ARG_HEADERS ${headers_alone})
  target_sources(
    ${target} ${scope}
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/src" FILES ${ARG_HEADERS}
    FILE_SET alone TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/src" FILES ${headers_alone})
  if(headers_alone)
    set_target_properties(${target} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY alone)
  else()
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS OFF)
  endif()
  add_library(caracal::${name} ALIAS ${target})
endfunction()

# Compiles the code of a test with little effort: the libraries are what the sanitizers check, and
# tests were half of the build's time. Their headers are compiled once for all that are C++ alone.
function(caracal_compile_cheaply name)
  set_target_properties(${name} PROPERTIES CARACAL_COLD ON)
  if(NOT TARGET caracal_test_headers)
    set(source "${PROJECT_BINARY_DIR}/caracal_test_headers.cc")
    file(CONFIGURE OUTPUT "${source}" CONTENT "")
    add_executable(caracal_test_headers EXCLUDE_FROM_ALL "${source}")
    target_link_libraries(caracal_test_headers PRIVATE GTest::gmock GTest::gtest_main
                                                       caracal_warnings caracal_sanitizers)
    set_target_properties(caracal_test_headers PROPERTIES CARACAL_COLD ON)
    target_precompile_headers(
      caracal_test_headers PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional>
      <span> <string> <string_view> <thread> <vector> <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  get_target_property(sources ${name} SOURCES)
  if(NOT sources MATCHES "\\.c(;|$)")
    target_precompile_headers(${name} REUSE_FROM caracal_test_headers)
  endif()
endfunction()

# caracal_test(name SOURCES ... DEPS ... [DATA dir] [LABELS ...] [TIMEOUT seconds])
#   one GoogleTest binary, registered with ctest under its name; label "unit" unless given.
function(caracal_test name)
  cmake_parse_arguments(ARG "" "DATA;TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  caracal_link(${name} quickly)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main
                                        caracal_warnings caracal_sanitizers)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
  if(ARG_DATA)
    target_compile_definitions(${name} PRIVATE CARACAL_TEST_DATA="${ARG_DATA}")
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(CARACAL_SANITIZERS AND NOT ARG_LABELS MATCHES "property|simulation|scenario|digest")
    caracal_compile_cheaply(${name})
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# caracal_bench(name SOURCES ... DEPS ...): one Google Benchmark binary.
function(caracal_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  caracal_link(${name} fast)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} benchmark::benchmark caracal_warnings)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
endfunction()

# caracal_fuzz(name SOURCES ... DEPS ... CORPUS dir)
#   with CARACAL_BUILD_FUZZERS: a libFuzzer binary; otherwise a test that replays the corpus once.
function(caracal_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  caracal_link(${name} quickly)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} caracal_warnings caracal_sanitizers)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
  if(CARACAL_BUILD_FUZZERS)
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    add_test(NAME ${name} COMMAND ${name} "${ARG_CORPUS}")
    set_tests_properties(${name} PROPERTIES LABELS "fuzz" TIMEOUT 120)
  endif()
endfunction()
