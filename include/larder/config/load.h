/* load.h: from files or from a command line to a snapshot, by one table of directives.
 *
 *      larder.conf ──▶ lexer ▶ parser ─┐
 *                                      ├─▶ statements ──▶ schema: names, places, types, bounds ──▶ snapshot
 *      --ram 64M --origin a:80 ────────┘
 *
 * Nothing here touches the network, the store or a running server. All that is wrong is found in one go.
 */
#ifndef LARDER_CONFIG_LOAD_H
#define LARDER_CONFIG_LOAD_H

#include <larder/base/err.h>
#include <larder/config/report.h>
#include <larder/config/snapshot.h>

#define CONFIG_FILE_DEFAULT "/etc/larder/larder.conf"

/* The configuration in the file at `path`. On failure *snapshot is NULL and the fault has one line: the
 * closing line of the findings in `report`, or, when the report is empty, why there is nothing to report on
 * (unreadable file). Warnings may be in the report of a success too; `strict` makes them errors. The report
 * must have been initialised. */
MUST_CHECK enum err config_load_file(const char *path, bool strict, struct report *report,
                                     struct snapshot **snapshot, struct fault *fault);

/* The configuration that the flags of `larder run` say. Each directive of the top level, of limits and of a
 * site is a flag; those of a site make up one site for every host ("*"). With `-c FILE` the file is loaded,
 * and flags may only replace what stands once at its top level or in its limits. A wrong flag is told in
 * the fault alone. */
MUST_CHECK enum err config_load_arguments(int argc, char *const argv[], struct report *report,
                                          struct snapshot **snapshot, struct fault *fault);

#endif
