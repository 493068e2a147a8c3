# caracal_warnings: the interface target every target of ours links privately.
add_library(caracal_warnings INTERFACE)
target_compile_options(
  caracal_warnings
  INTERFACE
    -Wall
    -Wextra
    -Wshadow
    -Wimplicit-fallthrough
    # gcc 12 sees overlapping copies in std::string where there are none (its bug 105329).
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
    # Designated initializers name what differs from the default; the rest is meant to be default.
    -Wno-missing-field-initializers
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
    $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>
    $<$<BOOL:${CARACAL_WERROR}>:-Werror>
    # Verdicts must not depend on the compiler's choice to fuse a multiply and an add.
    -ffp-contract=off)
