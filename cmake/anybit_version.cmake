# Run as a script at each build: writes OUTPUT from TEMPLATE with VERSION and COMMIT, and leaves it alone where nothing
# changed, so that a new commit compiles one small file.
file(READ ${SOURCE_DIR}/cmake/commit.txt COMMIT)
string(STRIP "${COMMIT}" COMMIT)
if(COMMIT MATCHES "Format")  # not put in by git archive
  set(COMMIT "")
endif()
if(EXISTS ${SOURCE_DIR}/.git)
  find_program(GIT git)
  if(GIT)
    execute_process(COMMAND ${GIT} describe --always --dirty --exclude=* WORKING_DIRECTORY ${SOURCE_DIR}
                    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
if(NOT COMMIT)
  set(COMMIT unknown)
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
