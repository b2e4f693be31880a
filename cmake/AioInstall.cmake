# What `cmake --install` puts where, by component:
#   program      aio, its manual page and completions, the bundled models, policies, docs
#   development  libraries to build into other programs, their headers, find_package(aio)
#   system       /etc/aio/aio.toml, the systemd unit, its user: only when asked for by name
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# --- development ---------------------------------------------------------------------
# The layers under the engine and the router, and these two. docs/embedding.md
set(public_layers base grammar jinja kernels formats tokenizer model backend engine router)

# Where an embedding program starts, and what those headers include. Nothing else is public.
set(public_headers
  base/clock.h base/status.h
  formats/gguf.h
  tokenizer/chat_template.h tokenizer/stream_decoder.h tokenizer/tokenizer.h
  model/model.h
  backend/backend.h
  engine/embedded_backend.h
  router/decision_observer.h router/explain.h router/head_file.h router/router.h
  router/routing_policy.h)
set(headers_they_include
  base/check.h base/page_memory.h
  formats/tensor_type.h
  tokenizer/chat_turn.h tokenizer/token_kind.h
  kernels/kernels.h kernels/kv_block.h kernels/matrix.h kernels/packed_matrix.h
  kernels/quant_codes.h
  model/config.h model/kv_cache.h model/load_weights.h model/weights.h
  backend/events.h backend/probe_head.h backend/request.h backend/text_query.h
  engine/embedded_model.h
  router/drift_guard.h router/intent_distribution.h router/policy_settings.h
  router/second_look.h router/signals.h)

set(targets "")
foreach(layer ${public_layers})
  list(APPEND targets aio_${layer})
  set_target_properties(aio_${layer} PROPERTIES EXPORT_NAME ${layer})
  target_compile_features(aio_${layer} PUBLIC cxx_std_20)
endforeach()
install(TARGETS ${targets} EXPORT aioTargets COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/aio)
install(EXPORT aioTargets NAMESPACE aio:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(cmake/aioConfig.cmake.in ${PROJECT_BINARY_DIR}/aioConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/aioConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/aioConfig.cmake ${PROJECT_BINARY_DIR}/aioConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT development)

# "base/status.h" here is "aio/base/status.h" to others, who may have a base/ of their own.
install(CODE "
  set(source_folder \"${PROJECT_SOURCE_DIR}/src\")
  set(headers \"${public_headers};${headers_they_include}\")
  set(staging \"${PROJECT_BINARY_DIR}/public_headers\")
  set(destination \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/InstallHeaders.cmake\")
" COMPONENT development)

# --- program -------------------------------------------------------------------------
set(data_folder ${CMAKE_INSTALL_DATADIR}/aio)
install(TARGETS aio RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(DIRECTORY config models policy DESTINATION ${data_folder} COMPONENT program)
install(DIRECTORY deploy/grafana deploy/prometheus DESTINATION ${data_folder} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(FILES README.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

set(generated ${PROJECT_BINARY_DIR}/manual)  # src/app/CMakeLists.txt
install(FILES ${generated}/aio.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${generated}/aio.bash RENAME aio
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${generated}/_aio
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
install(FILES ${generated}/aio.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)

# --- system --------------------------------------------------------------------------
# Only the machine's own /etc will do, whatever the prefix; paths inside follow the prefix.
install(CODE "
  set(source_folder \"${PROJECT_SOURCE_DIR}\")
  set(staging \"${PROJECT_BINARY_DIR}/system_files\")
  set(AIO_BINARY \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/aio\")
  set(AIO_DATA \"\${CMAKE_INSTALL_PREFIX}/${data_folder}\")
  set(AIO_DOC \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
  set(AIO_UNITS \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
  set(AIO_SYSUSERS \"\${CMAKE_INSTALL_PREFIX}/lib/sysusers.d\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/InstallSystemFiles.cmake\")
" COMPONENT system EXCLUDE_FROM_ALL)
