# flags.cmake: how every file of larder is compiled.
#
# The target larder_flags carries it all; layers, programs and tests link it. CHECK() stays on in every
# build; NDEBUG, in release builds, only takes out the bookkeeping of lock ranks. Release builds are hardened,
# sanitizer builds are not (the two do not mix).
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu17: C17, and the libc's Linux interfaces
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# One meaning for each build type, in place of CMake's own.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug)
endif()
set(CMAKE_C_FLAGS_DEBUG "-O1 -g") # not -Og: gcc then refuses what xxHash marks always_inline
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

# Layers are many small functions in many files; what is called once for each hit is inlined across them.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT LARDER_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT can_link_time LANGUAGES C)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${can_link_time})
endif()

add_library(larder_flags INTERFACE)
target_compile_definitions(larder_flags INTERFACE _GNU_SOURCE LARDER_VERSION="${PROJECT_VERSION}")
target_compile_options(larder_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
  -fno-omit-frame-pointer)
target_include_directories(larder_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(larder_flags INTERFACE Threads::Threads m)

if(LARDER_SANITIZE)
  target_compile_options(larder_flags INTERFACE
    -O1 -fsanitize=${LARDER_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(larder_flags INTERFACE -fsanitize=${LARDER_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # gcc 12 knows level 3, where sizes that are found at run time are checked too.
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    set(fortify 3)
  else()
    set(fortify 2)
  endif()
  target_compile_options(larder_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify} -fstack-protector-strong -fstack-clash-protection)
  target_link_options(larder_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
