# embed.cmake: the files of site/ as one C file of byte arrays, so that larder-bench is a single program.
#
#   cmake -D SITE=bench/site -D OUT=site_files.c -P embed.cmake

file(GLOB files RELATIVE "${SITE}" "${SITE}/*")
list(SORT files)

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  file(READ "${SITE}/${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
  # A literal for each 8 bytes: compilers promise no more than some thousand characters in one.
  string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "\"\\1\"\n" bytes "${bytes}")
  string(APPEND arrays "static const char file_${number}[] =\n${bytes}\"\";\n\n")
  string(APPEND rows "    { \"${file}\", file_${number}, sizeof file_${number} - 1 },\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${OUT}" "/* Made by embed.cmake from the files in bench/site. */
#include \"site.h\"

${arrays}const struct site_file site_files[] = {
${rows}};

const size_t site_files_count = sizeof site_files / sizeof site_files[0];
")
