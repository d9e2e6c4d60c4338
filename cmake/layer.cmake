# layer.cmake: the words in which the tree describes itself.
#
#   larder_layer(net  LAYERS base  PACKAGES libcares)     a static library larder_net from the *.c beside it
#   larder_program(larder  MAIN main.c  LAYERS server)    a program, in the top of the build directory
#   larder_unit_tests(net src/net)                        tests/unit/net/*.c as one Criterion program
#
# LAYERS are the layers below that this one may include and link; PACKAGES are names of pkg-config. Both
# are checked by tests/layers. A folder without any .c yet becomes an empty library, so that the tree
# configures at every stage.

# A third-party library by its name in pkg-config, as an imported target.
function(larder_package name out)
  string(MAKE_C_IDENTIFIER "${name}" id)
  pkg_check_modules(${id} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${name})
  set(${out} PkgConfig::${id} PARENT_SCOPE)
endfunction()

function(larder_link target scope)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LAYERS;PACKAGES")
  foreach(layer IN LISTS arg_LAYERS)
    target_link_libraries(${target} ${scope} larder_${layer})
  endforeach()
  foreach(package IN LISTS arg_PACKAGES)
    larder_package(${package} library)
    target_link_libraries(${target} ${scope} ${library})
  endforeach()
endfunction()

function(larder_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LAYERS;PACKAGES;WITHOUT")
  file(GLOB sources CONFIGURE_DEPENDS *.c)
  foreach(file IN LISTS arg_WITHOUT)
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  if(sources)
    add_library(larder_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(larder_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(larder_${name} ${scope} larder_flags)
  larder_link(larder_${name} ${scope} LAYERS ${arg_LAYERS} PACKAGES ${arg_PACKAGES})
endfunction()

function(larder_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MAIN" "LAYERS")
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${arg_MAIN})
    return()
  endif()
  add_executable(${name} ${arg_MAIN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_libraries(${name} PRIVATE larder_flags)
  larder_link(${name} PRIVATE LAYERS ${arg_LAYERS})
  if(LARDER_JEMALLOC)
    # Nothing calls jemalloc by name, and the linker, which sees no call of malloc before it optimises, would leave it out. One
    # item, since flags around a library of a target do not stay around it.
    larder_package(jemalloc library)
    get_target_property(files ${library} INTERFACE_LINK_LIBRARIES)
    list(JOIN files "," files)
    target_link_libraries(${name} PRIVATE "-Wl,--push-state,--no-as-needed,${files},--pop-state")
  endif()
endfunction()

# The tests of a layer may include its private headers, and nobody else's. Under a sanitizer they are run by
# tests/unit/runner.c, which says why.
function(larder_unit_tests layer folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${layer}/*.c)
  get_target_property(type larder_${layer} TYPE)
  if(NOT sources OR type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  add_executable(unit-${layer} ${sources})
  target_include_directories(unit-${layer} PRIVATE ${CMAKE_SOURCE_DIR}/${folder})
  target_compile_definitions(unit-${layer} PRIVATE STRICT_CASES="${CMAKE_SOURCE_DIR}/tests/strict")
  larder_link(unit-${layer} PRIVATE LAYERS ${layer} PACKAGES criterion)
  if(LARDER_SANITIZE)
    target_sources(unit-${layer} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/runner.c)
  endif()
  add_test(NAME unit-${layer} COMMAND unit-${layer})
endfunction()
