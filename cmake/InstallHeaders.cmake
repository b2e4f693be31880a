# At install time: copies the public headers with their includes as others write them.
# In: source_folder, headers, staging, destination.
file(REMOVE_RECURSE "${staging}")
foreach(header IN LISTS headers)
  file(READ "${source_folder}/${header}" text)
  string(REGEX REPLACE "#include \"([a-z_]+/)" "#include \"aio/\\1" text "${text}")
  file(WRITE "${staging}/aio/${header}" "${text}")
endforeach()
file(INSTALL "${staging}/aio" DESTINATION "${destination}" TYPE DIRECTORY)
