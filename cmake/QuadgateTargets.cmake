# The functions that make every target of the project.

# C++20 and our warnings for a target of ours.
function(quadgate_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                           -Wsign-conversion)
endfunction()

# quadgate_library(NAME SOURCES file... [HEADERS file...])
#
# The static library quadgate_NAME, known as quadgate::NAME here and to users. Its HEADERS are
# installed under include/quadgate, in the folder they have here; a library without any is not
# installed. Link it afterwards with
# target_link_libraries(quadgate_NAME PUBLIC quadgate::... PRIVATE third_party...).
function(quadgate_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS")
  set(target quadgate_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(quadgate::${name} ALIAS ${target})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  quadgate_compile_options(${target})
  if(arg_HEADERS)
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                                    FILES ${arg_HEADERS})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
    install(TARGETS ${target} EXPORT quadgate-targets
            FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/quadgate
            INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
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

# quadgate_embed(TARGET FILE)
#
# Links the bytes of FILE into TARGET. The linker names them after the file: those of page.html lie
# from _binary_page_html_start to _binary_page_html_end.
function(quadgate_embed target file)
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
endfunction()

# quadgate_test(TARGET SOURCES file... LIBS library...)
#
# One test binary of GoogleTest cases, each of them a test of its own for ctest. GoogleTest and
# GoogleMock are linked, with their main(). QUADGATE_SHARED_DATA is the folder of real data sets,
# which may not exist.
function(quadgate_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE
    QUADGATE_SHARED_DATA="${PROJECT_SOURCE_DIR}/../shared/data")
  quadgate_compile_options(${target})
  # Tests take longer to compile than to run; what they test is compiled as users get it.
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Release>,-Og,-O0>)
  target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       TEST_PREFIX ${target}. NO_PRETTY_VALUES)
endfunction()
