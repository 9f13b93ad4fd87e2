include(GNUInstallDirs)
install(TARGETS planish planish_runtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/planish DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
