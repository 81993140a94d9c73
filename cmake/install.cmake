# What authors of plugins and embedders find after `cmake --install`, under any prefix: headers, the CMake package,
# the template of `gantry plugin new`, and the program that the plugin kit runs in containers.  The build tree has the
# same at the same place relative to its programs, so that both work alike.
include(CMakePackageConfigHelpers)

set(share ${CMAKE_INSTALL_DATADIR}/gantry)

add_library(gantry_plugin_headers INTERFACE)
set_target_properties(gantry_plugin_headers PROPERTIES EXPORT_NAME plugin)
target_include_directories(gantry_plugin_headers INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS gantry_plugin_headers EXPORT GantryTargets)

install(DIRECTORY include/gantry TYPE INCLUDE)
install(DIRECTORY templates/plugin DESTINATION ${share}/templates)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/core/conformance/workload.sh DESTINATION ${share}/kit)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Gantry)
set(GANTRY_PLUGIN_DIR ${CMAKE_INSTALL_LIBDIR}/gantry/plugins)
configure_package_config_file(cmake/GantryConfig.cmake.in ${CMAKE_BINARY_DIR}/GantryConfig.cmake
    INSTALL_DESTINATION ${package} PATH_VARS GANTRY_PLUGIN_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/GantryConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/GantryConfig.cmake ${CMAKE_BINARY_DIR}/GantryConfigVersion.cmake
    DESTINATION ${package})
install(EXPORT GantryTargets NAMESPACE Gantry:: DESTINATION ${package})

# From the folder of the programs, installed or not.
file(RELATIVE_PATH data_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR})
file(RELATIVE_PATH include_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
target_compile_definitions(gantry-tool PRIVATE GANTRY_DATA_FROM_BIN="${data_from_bin}"
    GANTRY_INCLUDE_FROM_BIN="${include_from_bin}")
foreach(link "${data_from_bin}/gantry/templates" "${include_from_bin}")
    get_filename_component(there ${CMAKE_BINARY_DIR}/bin/${link} ABSOLUTE)
    get_filename_component(above ${there} DIRECTORY)
    get_filename_component(name ${there} NAME)
    file(MAKE_DIRECTORY ${above})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${there} SYMBOLIC)
endforeach()
