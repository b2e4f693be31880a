# `cpack -G DEB` in the build folder: aio (program and system) and aio-dev (development).
set(CPACK_PACKAGE_NAME aio)
set(CPACK_PACKAGE_VENDOR "the A-IO maintainers")
set(CPACK_PACKAGE_CONTACT "A-IO maintainers <maintainers@aio.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "server that routes between a small and a large language model")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)

set(CPACK_COMPONENTS_ALL program system development)
set(CPACK_COMPONENT_PROGRAM_GROUP aio)
set(CPACK_COMPONENT_SYSTEM_GROUP aio)
set(CPACK_COMPONENT_DEVELOPMENT_GROUP dev)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)

set(debian ${PROJECT_SOURCE_DIR}/deploy/debian)
set(CPACK_DEBIAN_AIO_PACKAGE_NAME aio)
set(CPACK_DEBIAN_AIO_PACKAGE_SECTION net)
set(CPACK_DEBIAN_AIO_PACKAGE_SHLIBDEPS ON)  # libpq5, libsqlite3-0, ...: as linked
# Either makes the user; the first does where there is no systemd, as in a container.
set(CPACK_DEBIAN_AIO_PACKAGE_DEPENDS "systemd-standalone-sysusers | systemd")
set(CPACK_DEBIAN_AIO_PACKAGE_SUGGESTS "postgresql, prometheus, python3")
set(CPACK_DEBIAN_AIO_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_AIO_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_AIO_DESCRIPTION
"Keeps a small and a large language model in memory, looks at each request once
with the small one, and sends it to the model and decoding strategy that answer
it well for the least memory traffic. Speaks the protocols of OpenAI and
Anthropic; comes with a pair of tiny models to try it with.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME aio-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libhwy-dev, libpcre2-dev, libfmt-dev, libssl-dev, libtomlplusplus-dev, pkg-config")
set(CPACK_DEBIAN_DEV_DESCRIPTION
"Static libraries, headers and a CMake package to build the engine, the router
or the routing policy of A-IO into another C++ program.")

# What Debian expects of every package's folder of documentation.
set(changelog ${PROJECT_BINARY_DIR}/debian)
configure_file(${debian}/changelog.in ${changelog}/changelog.Debian)
configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${changelog}/changelog COPYONLY)
foreach(file changelog changelog.Debian)
  execute_process(COMMAND gzip -9nf ${changelog}/${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(package_and_component "aio;program" "aio-dev;development")
  list(GET package_and_component 0 package)
  list(GET package_and_component 1 component)
  install(FILES ${debian}/${package}.lintian-overrides RENAME ${package}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT ${component})
  install(FILES ${debian}/copyright ${changelog}/changelog.Debian.gz ${changelog}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
endforeach()

include(CPack)
