# What is installed: the two libraries, their headers, a CMake package with the components `runtime` and `build`,
# and pkg-config files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(PLANISH_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/planish)
install(TARGETS planish_runtime EXPORT planish_runtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime)
set_target_properties(planish_runtime PROPERTIES EXPORT_NAME runtime)
install(TARGETS planish EXPORT planish_build LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT build)
install(DIRECTORY include/planish DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(component runtime build)
  install(EXPORT planish_${component} NAMESPACE planish:: DESTINATION ${PLANISH_PACKAGE_DIR}
    FILE planish_${component}.cmake)
endforeach()
configure_package_config_file(cmake/planishConfig.cmake.in ${CMAKE_BINARY_DIR}/planishConfig.cmake
  INSTALL_DESTINATION ${PLANISH_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/planishConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/planishConfig.cmake ${CMAKE_BINARY_DIR}/planishConfigVersion.cmake
  DESTINATION ${PLANISH_PACKAGE_DIR})

planish_pc_prefix(${CMAKE_INSTALL_LIBDIR}/pkgconfig)
foreach(PLANISH_LIBRARY planish planish_runtime)
  configure_file(cmake/planish.pc.in ${CMAKE_BINARY_DIR}/${PLANISH_LIBRARY}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${PLANISH_LIBRARY}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
