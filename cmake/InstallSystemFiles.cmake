# At install time: what the machine's own /etc and systemd get.
# In: source_folder, staging, AIO_BINARY, AIO_DATA, AIO_DOC.
set(deploy "${source_folder}/deploy/systemd")
file(REMOVE_RECURSE "${staging}")

# The bundled pair's configuration, whose paths are those of the source tree.
file(READ "${source_folder}/config/pocket.toml" config)
foreach(folder models policy)
  string(REPLACE "\"../${folder}/" "\"${AIO_DATA}/${folder}/" config "${config}")
endforeach()
string(REPLACE "\"../keys.toml\"" "\"/var/lib/aio/keys.toml\"" config "${config}")
string(REPLACE "\"../decisions.db\"" "\"/var/lib/aio/decisions.db\"" config "${config}")
if(config MATCHES "\"\\.\\./[^\"]*\"")
  message(FATAL_ERROR "config/pocket.toml: ${CMAKE_MATCH_0} has no place in an installed system")
endif()
file(WRITE "${staging}/aio.toml" "${config}")
file(INSTALL "${staging}/aio.toml" DESTINATION /etc/aio)

configure_file("${deploy}/aio.service.in" "${staging}/aio.service" @ONLY)
file(INSTALL "${staging}/aio.service" DESTINATION "${AIO_UNITS}")
file(INSTALL "${deploy}/aio.sysusers" DESTINATION "${AIO_SYSUSERS}" RENAME aio.conf)
file(INSTALL "${deploy}/aio.default" DESTINATION /etc/default RENAME aio
  PERMISSIONS OWNER_READ OWNER_WRITE)
