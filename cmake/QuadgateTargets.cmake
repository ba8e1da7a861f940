# The functions that make every target of the project.

# C++20 and our warnings for a target of ours.
function(quadgate_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                           -Wsign-conversion)
  # gcc takes a unity file for a header: it warns of types of .cpp files.
  if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
  endif()
endfunction()

# quadgate_show_room(TARGET FOLDER)
#
# Lets TARGET, and who links it, include the headers of FOLDER by their path in the project. It sees a
# folder of the build that holds nothing but a link to this one, so that an include of a room that is
# not linked does not compile.
function(quadgate_show_room target folder)
  set(view ${PROJECT_BINARY_DIR}/rooms/${folder})
  cmake_path(GET folder PARENT_PATH parent)
  file(MAKE_DIRECTORY ${view}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${view}/${folder} SYMBOLIC)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} INTERFACE ${view})
  else()
    target_include_directories(${target} PUBLIC ${view})
  endif()
endfunction()

# quadgate_room(FOLDER [SOURCES file...] [HEADERS file...] [LINKS folder...] [LIBS third_party...])
#
# A folder as an object library of its own, quadgate_PARENT_NAME, which may include the folders that
# it LINKS and LIBS. Its HEADERS are installed: tests/install/headers.txt lists those of all rooms.
function(quadgate_room folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;LINKS;LIBS")
  string(REPLACE / _ target quadgate_${folder})
  list(TRANSFORM arg_LINKS REPLACE / _)
  list(TRANSFORM arg_LINKS PREPEND quadgate_)
  if(arg_SOURCES)
    add_library(${target} OBJECT ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC ${arg_LINKS} PRIVATE ${arg_LIBS})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    quadgate_compile_options(${target})
    # What reads files tells libFuzzer which of its branches an input reaches.
    if(QUADGATE_BUILD_FUZZERS AND folder MATCHES "^(io/|apps/train$)")
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_LINKS})
  endif()
  quadgate_show_room(${target} ${folder})
  install(FILES ${arg_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/quadgate/${folder})
endfunction()

# quadgate_archive(NAME ROOMS name...)
#
# The static library quadgate_NAME, known as quadgate::NAME here and to users, of the rooms of the
# folder NAME. Link it afterwards with
# target_link_libraries(quadgate_NAME PUBLIC quadgate::... PRIVATE third_party...).
function(quadgate_archive name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ROOMS")
  set(target quadgate_${name})
  add_library(${target} STATIC)
  add_library(quadgate::${name} ALIAS ${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME ${name})
  foreach(room IN LISTS arg_ROOMS)
    get_target_property(type quadgate_${name}_${room} TYPE)
    if(type STREQUAL "OBJECT_LIBRARY")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:quadgate_${name}_${room}>)
    endif()
    target_include_directories(
      ${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/rooms/${name}/${room}>)
  endforeach()
endfunction()

# quadgate_install(NAME)
#
# Installs an archive. Its headers, which the rooms install, include one another by their path in the
# project.
function(quadgate_install name)
  install(TARGETS quadgate_${name} EXPORT quadgate-targets
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${CMAKE_INSTALL_INCLUDEDIR}/quadgate)
endfunction()

# quadgate_program(TARGET SOURCES file... LIBS library...)
#
# A program in the build folder's bin/. It finds oneDNN where it was found at build time.
function(quadgate_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBS})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin
    INSTALL_RPATH $<TARGET_FILE_DIR:DNNL::dnnl>)
  quadgate_compile_options(${target})
endfunction()

# quadgate_embed(TARGET FILE...)
#
# Links the bytes of files into TARGET. The linker names them after the file: those of page.html lie
# from _binary_page_html_start to _binary_page_html_end.
function(quadgate_embed target)
  foreach(file IN LISTS ARGN)
    cmake_path(GET file FILENAME name)
    cmake_path(GET file PARENT_PATH folder)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_LINKER} -r -b binary -z noexecstack -o ${object} ${name}
      WORKING_DIRECTORY ${folder}
      DEPENDS ${file}
      VERBATIM)
    target_sources(${target} PRIVATE ${object})
    list(APPEND objects ${object})
  endforeach()
  # A command of TARGET alone, and with it all sources of a program that links TARGET, would wait until
  # every library that TARGET links is built.
  add_custom_target(${target}_embedded DEPENDS ${objects})
  add_dependencies(${target} ${target}_embedded)
endfunction()

# quadgate_test(TARGET [COMPUTES] [SOURCES file...] LIBS library...)
#
# One test binary of GoogleTest cases, each of them a test of its own for ctest, or, as
# QUADGATE_TEST_PARTS says, so many tests of equally many cases: a process costs more than most
# cases. GoogleTest and GoogleMock are linked, with their main().
# COMPUTES: the tests work out for long what they compare with.
function(quadgate_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "COMPUTES" "" "SOURCES;LIBS")
  add_executable(${target})
  quadgate_test_sources(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBS} quadgate_test_paths GTest::gmock GTest::gtest_main)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  quadgate_compile_options(${target})
  # Most take longer to compile than to run; what they test is compiled as users get it.
  if(arg_COMPUTES)
    set(sanitized -O1)
  else()
    set(sanitized -O0)
  endif()
  target_compile_options(${target} PRIVATE
    $<$<CONFIG:Release>:-Og> $<$<CONFIG:Debug>:-O0> $<$<CONFIG:RelWithDebInfo>:${sanitized}>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  if(CMAKE_UNITY_BUILD)
    # GoogleTest's macros name their file, which a unity build includes by its whole path: no compiler
    # cache would know a test of another clone.
    target_compile_options(${target} PRIVATE -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
  else()
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  if(QUADGATE_TEST_PARTS)
    math(EXPR last "${QUADGATE_TEST_PARTS} - 1")
    foreach(part RANGE ${last})
      add_test(NAME ${target}.part_${part} COMMAND ${target})
      set_tests_properties(${target}.part_${part} PROPERTIES
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${QUADGATE_TEST_PARTS};GTEST_SHARD_INDEX=${part}")
    endforeach()
  else()
    gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         TEST_PREFIX ${target}. NO_PRETTY_VALUES)
  endif()
endfunction()

# quadgate_test_sources(TARGET file...)
#
# Adds the tests of this folder to a test binary; a unity build compiles them as one.
function(quadgate_test_sources target)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME room)
  target_sources(${target} PRIVATE ${ARGN})
  set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${room})
endfunction()
