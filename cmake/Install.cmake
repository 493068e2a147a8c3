# What `cmake --install` brings besides the program: manual page, shell completions, documents.
# Page and completions are made by the program itself, so they cannot lag behind it.
find_package(Python3 3.10 COMPONENTS Interpreter)

set(_generated "${PROJECT_BINARY_DIR}/installed")
file(MAKE_DIRECTORY "${_generated}")

# _made_by_caracal(output install_dir command...): one generated file and where it belongs.
function(_made_by_caracal output install_dir)
  add_custom_command(
    OUTPUT "${_generated}/${output}"
    COMMAND ${ARGN}
    DEPENDS caracal "${PROJECT_SOURCE_DIR}/cmake/man_page.py"
    COMMENT "Writing ${output}"
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY CARACAL_INSTALLED_FILES "${_generated}/${output}")
  install(FILES "${_generated}/${output}" DESTINATION "${install_dir}")
endfunction()

if(NOT CMAKE_CROSSCOMPILING)
  _made_by_caracal(caracal "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
                   caracal completion bash > "${_generated}/caracal")
  _made_by_caracal(_caracal "${CMAKE_INSTALL_DATADIR}/zsh/site-functions"
                   caracal completion zsh > "${_generated}/_caracal")
  _made_by_caracal(caracal.fish "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d"
                   caracal completion fish > "${_generated}/caracal.fish")
  if(Python3_FOUND)
    _made_by_caracal(
      caracal.1 "${CMAKE_INSTALL_MANDIR}/man1" Python3::Interpreter -B
      "${PROJECT_SOURCE_DIR}/cmake/man_page.py" "$<TARGET_FILE:caracal>" "${_generated}/caracal.1")
  else()
    message(STATUS "No Python 3.10: the manual page is not made")
  endif()
  get_property(_installed_files GLOBAL PROPERTY CARACAL_INSTALLED_FILES)
  add_custom_target(caracal_installed_files ALL DEPENDS ${_installed_files})
endif()

install(FILES LICENSE README.md ARCHITECTURE.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY deploy/examples DESTINATION "${CMAKE_INSTALL_DOCDIR}")
