# `cmake --install`: the client library for C++ programs. Headers, two archives (the client; the in-process broker for
# tests), a CMake package (find_package(Barnabas): Barnabas::client, Barnabas::testing) and barnabas.pc.
#
# Each archive holds all folders it is made of, so that a program links one file and not our layers.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(client_modules base wire config runtime security net host client)
set(testing_modules metadata raft controller replication group log quorum broker node testing)

foreach(kind client testing)
  set(objects)
  foreach(module ${${kind}_modules})
    get_target_property(type barnabas_${module} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:barnabas_${module}>)
    endif()
  endforeach()
  add_library(barnabas_${kind}_archive STATIC ${objects})
  set_target_properties(barnabas_${kind}_archive PROPERTIES OUTPUT_NAME barnabas_${kind} LINKER_LANGUAGE CXX
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  install(FILES $<TARGET_FILE:barnabas_${kind}_archive> DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
endforeach()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/barnabas ${CMAKE_BINARY_DIR}/generated/barnabas
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client FILES_MATCHING PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Barnabas)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/BarnabasConfig.cmake.in
  ${CMAKE_BINARY_DIR}/package/BarnabasConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/BarnabasConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/BarnabasConfig.cmake ${CMAKE_BINARY_DIR}/package/BarnabasConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT client)

file(RELATIVE_PATH BARNABAS_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/barnabas.pc.in ${CMAKE_BINARY_DIR}/package/barnabas.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/barnabas.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)
if(TARGET barnabas)
  install(TARGETS barnabas RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  foreach(shim ${shims})
    install(FILES $<TARGET_FILE_DIR:barnabas>/${shim} DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  endforeach()
endif()
