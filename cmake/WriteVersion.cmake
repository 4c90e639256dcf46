# Writes Version.cpp where it is missing or the commit has changed: cmake -Dsource=… -Doutput=… -Dversion=… -P WriteVersion.cmake

# What `git archive` puts in place of the format; else git is asked.
file(STRINGS ${source}/cmake/commit.txt commit LIMIT_COUNT 1)
if(NOT commit MATCHES "^[0-9a-f]+$")
  execute_process(COMMAND git rev-parse HEAD WORKING_DIRECTORY ${source}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT commit MATCHES "^[0-9a-f]+$")
    set(commit unknown)
  endif()
endif()
string(SUBSTRING ${commit} 0 12 commit)
configure_file(${source}/runtime/Version.cpp.in ${output} @ONLY)
