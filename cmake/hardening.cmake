# hardening.cmake: what the compiler and the linker can do against an attacker who has found a mistake in larder.
#
#   a buffer that runs over     _FORTIFY_SOURCE, stack protector: the process ends before the return does
#   a stack that runs over      stack clash protection: it meets its guard page, whatever the frame's size
#   a pointer that was bent     position independent code, read-only relocations, no lazy binding, a stack that
#                               cannot be run; branch targets marked for processors that check them
#
# tests/behaviour/test_hardening.py reads all of it back from the program.
function(larder_harden target)
  # gcc 12 knows level 3, where sizes that are found at run time are checked too.
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    set(fortify 3)
  else()
    set(fortify 2)
  endif()
  target_compile_options(${target} INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify} -fstack-protector-strong -fstack-clash-protection)
  target_link_options(${target} INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

  # Calls and returns are checked by processors that can and where system and libc turn it on. The linker marks a program
  # for it only if all its parts are marked, and the start files of Debian 12's libc are not. A shadow stack asks nothing
  # of those, so that mark is set here. Branch tracking does ask: the code is ready for it, and the mark comes by itself
  # with a libc that has it.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    target_compile_options(${target} INTERFACE -fcf-protection=full)
    target_link_options(${target} INTERFACE -Wl,-z,shstk)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    target_compile_options(${target} INTERFACE -mbranch-protection=standard)
  endif()
endfunction()
