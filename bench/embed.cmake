# embed.cmake: the files of a folder as one C file of byte arrays, so that larder-bench is a single program.
#
#   cmake -D FOLDER=bench/site -D NAME=site_files -D HEADER=site.h -D OUT=site_files.c -P embed.cmake

file(GLOB files RELATIVE "${FOLDER}" "${FOLDER}/*")
list(SORT files)

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  file(READ "${FOLDER}/${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
  # A literal for each 8 bytes: compilers promise no more than some thousand characters in one.
  string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "\"\\1\"\n" bytes "${bytes}")
  string(APPEND arrays "static const char file_${number}[] =\n${bytes}\"\";\n\n")
  string(APPEND rows "    { \"${file}\", file_${number}, sizeof file_${number} - 1 },\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${OUT}" "/* Made by embed.cmake. */
#include \"${HEADER}\"

${arrays}const struct site_file ${NAME}[] = {
${rows}};

const size_t ${NAME}_count = sizeof ${NAME} / sizeof ${NAME}[0];
")
