/* run.h: `larder run`: from the command line to a server, and back to an exit code. */
#ifndef LARDER_SERVER_RUN_H
#define LARDER_SERVER_RUN_H

#include <stdio.h>

/* `argv` is what follows "run". Errors of the configuration, one line or its findings, go to `err`; so does
 * the log. */
int run_server(int argc, char *argv[], FILE *err);

/* The flags, for help. */
void run_print_flags(FILE *out);

#endif
