# Finds everything that the libraries and the program are linked with; tests and benchmarks find
# their own. What the libraries need is found again for users by quadgate-config.cmake.in.

find_package(dnnl 3.2 CONFIG QUIET HINTS ${PROJECT_SOURCE_DIR}/build/deps/onednn)
if(NOT dnnl_FOUND)
  message(FATAL_ERROR "oneDNN 3.2 or newer was not found: run scripts/setup, "
                      "or name your own build of it with -Ddnnl_ROOT=PREFIX")
endif()
if(NOT DNNL_CPU_THREADING_RUNTIME STREQUAL "TBB")
  message(FATAL_ERROR "oneDNN in ${dnnl_DIR} has the threading runtime "
                      "${DNNL_CPU_THREADING_RUNTIME}, expected TBB")
endif()

find_package(TBB CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(LibCsv REQUIRED)
find_package(LibZip REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(OnnxProto REQUIRED)
find_package(xxHash REQUIRED)
find_package(ZLIB REQUIRED)

# Debian's shared library of HDF5 loads 35 others, those of curl for files in the net, whenever a
# program starts. Ours take of the archive what they use.
find_library(QUADGATE_HDF5_ARCHIVE libhdf5.a HINTS ${HDF5_C_LIBRARY_hdf5}/..
             DOC "HDF5 to link our programs with; without it they have the shared library")
if(PROJECT_IS_TOP_LEVEL AND QUADGATE_HDF5_ARCHIVE)
  list(TRANSFORM HDF5_LIBRARIES REPLACE ".*/libhdf5\\.so$" ${QUADGATE_HDF5_ARCHIVE})
  set_target_properties(HDF5::HDF5 PROPERTIES INTERFACE_LINK_LIBRARIES "${HDF5_LIBRARIES}"
                                              INTERFACE_LINK_OPTIONS -Wl,--as-needed)
endif()

if(QUADGATE_BUILD_APPS)
  find_package(CLI11 CONFIG REQUIRED)
  find_package(tomlplusplus CONFIG REQUIRED)
  find_file(QUADGATE_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js
            DOC "Chart.js 3, minified, which draws the plots of reports")
  if(NOT QUADGATE_CHART_JS)
    message(FATAL_ERROR "Chart.js was not found: run scripts/setup (Debian: libjs-chart.js), "
                        "or name your own copy with -DQUADGATE_CHART_JS=FILE/chart.min.js")
  endif()
endif()
