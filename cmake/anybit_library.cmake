# Half of a compilation is headers that all files of a room include, so several files are compiled as one: a third of
# the time from nothing. Each by itself, for work on one file: -DANYBIT_UNITY=OFF.
option(ANYBIT_UNITY "Compile several files of a room together: sooner from nothing, later after a change" ON)
if(ANYBIT_UNITY AND NOT ANYBIT_FUZZ)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
  add_compile_options(-Wno-subobject-linkage)  # takes the files for headers
endif()

# anybit_library(NAME SOURCES... ) makes one folder of the house a static library that sees the source root.
function(anybit_library name)
  cmake_parse_arguments(A "" "" "SOURCES;USES" ${ARGN})
  add_library(anybit_${name} STATIC ${A_SOURCES})
  target_include_directories(anybit_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(anybit_${name} PUBLIC ${A_USES})
endfunction()

# Command lines run once: -O1 compiles them in half the time (CLI11 is a large header).
function(anybit_command_lines)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O1)
endfunction()

# anybit_test(NAME LABEL [PREFIX TEXT] [NUMERIC] SOURCES...) registers the tests of one folder; LABEL is fast or slow.
# Tests are compiled with -O1, which is done sooner, but for NUMERIC ones, whose reference loops take their time.
# A test that cannot run here calls GTEST_SKIP() with the reason; scripts/test collects them.
function(anybit_test name label)
  cmake_parse_arguments(A "NUMERIC" "PREFIX" "SOURCES;USES" ${ARGN})
  add_executable(test_${name} ${A_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${A_USES} GTest::gtest_main)
  if(NOT A_NUMERIC)
    target_compile_options(test_${name} PRIVATE -O1)
  endif()
  target_compile_definitions(test_${name} PRIVATE
    ANYBIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ANYBIT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(test_${name}
    TEST_PREFIX "${A_PREFIX}" DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${label} TIMEOUT 300)
endfunction()
