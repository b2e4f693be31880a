# One layer of the system = one folder under src/ = one library aio_<name> and
# one test binary <name>_test. What a file is, its name says:
#   x.cc            part of the library
#   x_test.cc       a test (GoogleTest)
#   x_benchmark.cc  a benchmark binary of its own (Google Benchmark), never run by ctest
#   x_fuzz.cc       a libFuzzer target of its own (preset "fuzz")
#   main.cc         the program's entry point; never part of a library
#   testing/x.cc    part of aio_<name>_testing: what tests of this layer and those above share
#
#   aio_layer(NAME [SINGLE_THREADED] DEPS target...  [TEST_DEPS target...])
# SINGLE_THREADED: neither the layer nor its tests start threads; ThreadSanitizer, which could
# find nothing there, is not made to build and run those tests.
set(AIO_HEADER_ONLY "Boost::headers|nlohmann_json::nlohmann_json|Eigen3::Eigen|CLI11::CLI11")
function(aio_layer name)
  cmake_parse_arguments(ARG "SINGLE_THREADED" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB all CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc testing/*.cc)
  set(library_sources ${all})
  list(FILTER library_sources EXCLUDE REGEX "(_test|_benchmark|_fuzz|^main)\\.cc$")
  set(testing_sources ${library_sources})
  list(FILTER testing_sources INCLUDE REGEX "^testing/")
  list(FILTER library_sources EXCLUDE REGEX "^testing/")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benchmarks ${all})
  list(FILTER benchmarks INCLUDE REGEX "_benchmark\\.cc$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  if(library_sources)
    add_library(aio_${name} STATIC ${library_sources})
    set(scope PUBLIC)
  else()
    add_library(aio_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  # What is only needed to compile us is nothing to those who link an installed library
  # (AioInstall.cmake): our flags, and libraries that are only headers, which no public header has.
  set(deps ${ARG_DEPS})
  list(TRANSFORM deps REPLACE "^(${AIO_HEADER_ONLY})$" "$<BUILD_INTERFACE:\\1>")
  target_include_directories(aio_${name} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(aio_${name} ${scope} $<BUILD_INTERFACE:aio_options> ${deps})

  if(testing_sources)
    add_library(aio_${name}_testing STATIC ${testing_sources})
    target_link_libraries(aio_${name}_testing PUBLIC aio_${name} ${ARG_TEST_DEPS})
    list(APPEND ARG_TEST_DEPS aio_${name}_testing)
  endif()
  if(ARG_SINGLE_THREADED AND AIO_SANITIZE STREQUAL "thread")
    set(tests "")
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE aio_${name} ${ARG_TEST_DEPS} GTest::gmock GTest::gtest_main)
    # Only where it is read: an absolute path in a command keeps ccache from sharing it.
    foreach(source ${tests})
      file(STRINGS ${source} reads REGEX AIO_SOURCE_DIR LIMIT_COUNT 1)
      if(reads)
        set_source_files_properties(${source} PROPERTIES
          COMPILE_DEFINITIONS AIO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
      endif()
    endforeach()
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 900)
  endif()
  if(NOT AIO_SANITIZE)  # their times would say nothing
    foreach(source ${benchmarks})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE aio_${name} ${ARG_TEST_DEPS} benchmark::benchmark_main)
    endforeach()
  endif()
  if(AIO_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE aio_${name})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# Flags every target of ours shares.
add_library(aio_options INTERFACE)
target_compile_options(aio_options INTERFACE
  -Wall -Wextra
  # The exactness contract: a*b+c is fused only where a kernel says so, never at
  # the compiler's whim, so that two shapes of one loop give the same bits.
  -ffp-contract=off)
if(AIO_WERROR)
  target_compile_options(aio_options INTERFACE -Werror)
endif()
if(AIO_SANITIZE)
  target_compile_definitions(aio_options INTERFACE AIO_SANITIZED)
  target_compile_options(aio_options INTERFACE -fsanitize=${AIO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)  # GCC takes the sanitizers' own code for such uses
  target_link_options(aio_options INTERFACE -fsanitize=${AIO_SANITIZE})
endif()
if(AIO_FUZZ)
  target_compile_options(aio_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(aio_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
