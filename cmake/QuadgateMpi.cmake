# quadgate_mpi_plugin(NAME)
#
# The plug-in libquadgate_mpi_NAME.so for the MPI whose compiler is mpicc.NAME, as Debian calls it, or
# what -DQUADGATE_MPICC_NAME names (in capitals). Nothing where there is none: the program then says what
# it lacks when such an MPI starts it. It lies beside the program in the build folder, and is installed
# into lib/quadgate.
function(quadgate_mpi_plugin name)
  string(TOUPPER ${name} upper)
  find_program(QUADGATE_MPICC_${upper} mpicc.${name} DOC "The C compiler of ${name}")
  set(mpicc ${QUADGATE_MPICC_${upper}})
  if(NOT mpicc)
    message(STATUS "No plug-in for ${name}: mpicc.${name} was not found")
    return()
  endif()
  # "gcc -I... -L... -lmpi": both say so.
  execute_process(COMMAND ${mpicc} -show OUTPUT_VARIABLE command COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(words UNIX_COMMAND "${command}")
  set(includes ${words})
  list(FILTER includes INCLUDE REGEX "^-I")
  list(TRANSFORM includes REPLACE "^-I" "")
  set(links ${words})
  list(FILTER links INCLUDE REGEX "^(-L|-l|-Wl,-rpath)")

  set(target quadgate_mpi_${name})
  add_library(${target} MODULE mpi_plugin.c)
  target_include_directories(${target} SYSTEM PRIVATE ${includes})
  target_link_libraries(${target} PRIVATE ${links})
  quadgate_show_room(${target} engine/mpi)
  target_compile_features(${target} PRIVATE c_std_11)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                           -Wsign-conversion)
  set_target_properties(${target} PROPERTIES
    C_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden
    UNITY_BUILD OFF
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/quadgate)
endfunction()

# quadgate_define_mpis(TARGET)
#
# Tells a test which MPIs there are: QUADGATE_MPIRUN_OPENMPI and QUADGATE_MPIRUN_MPICH are their
# launchers, "" where one is missing.
function(quadgate_define_mpis target)
  foreach(name IN ITEMS openmpi mpich)
    string(TOUPPER ${name} upper)
    find_program(QUADGATE_MPIRUN_${upper} mpirun.${name} DOC "What starts the ranks of ${name}")
    set(mpirun "")
    if(TARGET quadgate_mpi_${name} AND QUADGATE_MPIRUN_${upper})
      set(mpirun ${QUADGATE_MPIRUN_${upper}})
      add_dependencies(${target} quadgate_mpi_${name})
    endif()
    target_compile_definitions(${target} PRIVATE QUADGATE_MPIRUN_${upper}="${mpirun}")
  endforeach()
endfunction()
