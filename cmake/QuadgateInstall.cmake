# Installs what find_package(quadgate) reads; the libraries install themselves.
include(CMakePackageConfigHelpers)
set(quadgate_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quadgate)

set(quadgate_hdf5_reader ${CMAKE_INSTALL_LIBEXECDIR}/quadgate-hdf5-reader)
configure_package_config_file(cmake/quadgate-config.cmake.in quadgate-config.cmake
                              INSTALL_DESTINATION ${quadgate_config_dir}
                              PATH_VARS quadgate_hdf5_reader)
write_basic_package_version_file(quadgate-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/quadgate-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/quadgate-config-version.cmake cmake/FindLibCsv.cmake cmake/FindLibZip.cmake
              cmake/FindOnnxProto.cmake
              cmake/FindxxHash.cmake io/hdf5/reader_location.cpp
        DESTINATION ${quadgate_config_dir})
install(EXPORT quadgate-targets NAMESPACE quadgate:: DESTINATION ${quadgate_config_dir})
