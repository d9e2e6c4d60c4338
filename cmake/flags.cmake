# flags.cmake: how every file of larder is compiled.
#
# The target larder_flags carries it all; layers, programs and tests link it. CHECK() stays on in every
# build; NDEBUG, in release builds, only takes out the bookkeeping of lock ranks. All builds are hardened
# (hardening.cmake) but those with sanitizers: the two do not mix.
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
  target_compile_definitions(larder_flags INTERFACE LARDER_SANITIZED)
else()
  include(hardening)
  larder_harden(larder_flags)
endif()
