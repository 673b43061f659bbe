# How every room declares itself: one target a folder, its tests, benchmarks and fuzz targets beside it.
#
#   rtclab_room(NAME stun
#     SOURCES message.cc ...          # omit for a header-only room
#     DEPS rtclab::base ...           # the only rooms and libraries it may use
#     TESTS message_test.cc ...       # become one GoogleTest program rtclab_stun_test
#     TEST_DEPS rtclab::sim ...       # what only the tests need
#     BENCHMARKS stun_benchmark.cc    # one Google Benchmark program a file
#     FUZZ message_fuzz.cc)           # one libFuzzer program a file; corpus in fuzz/<name>/
include_guard()
include(GoogleTest OPTIONAL)

# The fuzz targets and the libraries under them, without the rest of the tree: cmake --build --preset fuzz --target fuzzers
if(RTCLAB_FUZZ)
  add_custom_target(fuzzers)
endif()

# Headers that most files include, compiled once; ccache needs both settings to see through them.
# Off where a tool other than the compiler reads the compile commands (scripts/check-lint).
if(RTCLAB_PCH)
  set(common_headers <algorithm> <array> <functional> <map> <memory> <optional> <span> <string> <string_view> <utility>
      <variant> <vector> <fmt/format.h> <tl/expected.hpp>)
  file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
  add_library(rtclab_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
  target_link_libraries(rtclab_pch PRIVATE rtclab_options)
  target_precompile_headers(rtclab_pch PRIVATE ${common_headers})
  if(RTCLAB_TESTS)
    add_library(rtclab_test_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
    target_link_libraries(rtclab_test_pch PRIVATE rtclab_options GTest::gmock)
    target_precompile_headers(rtclab_test_pch PRIVATE ${common_headers} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

function(rtclab_room)
  cmake_parse_arguments(ROOM "" "NAME" "SOURCES;DEPS;TESTS;TEST_DEPS;BENCHMARKS;FUZZ" ${ARGN})
  set(target rtclab_${ROOM_NAME})
  if(ROOM_SOURCES)
    add_library(${target} STATIC ${ROOM_SOURCES})
    target_link_libraries(${target} PUBLIC rtclab_options ${ROOM_DEPS})
    if(RTCLAB_PCH)
      target_precompile_headers(${target} REUSE_FROM rtclab_pch)
    endif()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${RTCLAB_UNITY} UNITY_BUILD_BATCH_SIZE 16)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE rtclab_options ${ROOM_DEPS})
  endif()
  add_library(rtclab::${ROOM_NAME} ALIAS ${target})

  if(RTCLAB_TESTS AND ROOM_TESTS)
    add_executable(${target}_test ${ROOM_TESTS})
    target_link_libraries(${target}_test PRIVATE ${target} ${ROOM_TEST_DEPS} GTest::gmock_main)
    if(RTCLAB_PCH)
      target_precompile_headers(${target}_test REUSE_FROM rtclab_test_pch)
    endif()
    set_target_properties(${target}_test PROPERTIES UNITY_BUILD ${RTCLAB_UNITY} UNITY_BUILD_BATCH_SIZE 8)
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 120)
  endif()
  if(RTCLAB_BENCHMARKS)
    foreach(source IN LISTS ROOM_BENCHMARKS)
      get_filename_component(name ${source} NAME_WE)
      add_executable(${name} ${source})
      target_link_libraries(${name} PRIVATE ${target} ${ROOM_TEST_DEPS} benchmark::benchmark_main)
    endforeach()
  endif()
  if(RTCLAB_FUZZ)
    foreach(source IN LISTS ROOM_FUZZ)
      get_filename_component(name ${source} NAME_WE)
      add_executable(${name} ${source})
      target_link_libraries(${name} PRIVATE ${target})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzzers ${name})
    endforeach()
  endif()
endfunction()
