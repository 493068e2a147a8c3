# caracal_sanitizers: CARACAL_SANITIZERS as compile and link options, for every target of ours.
add_library(caracal_sanitizers INTERFACE)
if(CARACAL_SANITIZERS)
  string(REPLACE ";" "," _sanitizers "${CARACAL_SANITIZERS}")
  target_compile_options(caracal_sanitizers INTERFACE -fsanitize=${_sanitizers}
                                                      -fno-omit-frame-pointer
                                                      -fno-sanitize-recover=all)
  # Optimising the templates of the libraries it uses takes half of the time of a file; these two
  # checks make up a third of its code, and find little that AddressSanitizer does not.
  target_compile_options(
    caracal_sanitizers
    INTERFACE "$<$<BOOL:$<TARGET_PROPERTY:CARACAL_COLD>>:-O0;-fno-sanitize=null,alignment>")
  target_link_options(caracal_sanitizers INTERFACE -fsanitize=${_sanitizers})
endif()
if(CARACAL_BUILD_FUZZERS)
  # Coverage of everything a target reaches, not of its own file alone.
  target_compile_options(caracal_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
