/* run.h: a command, run in the test, with what it wrote. */
#ifndef TEST_CLI_RUN_H
#define TEST_CLI_RUN_H

#include <larder/cli/command.h>

struct ran {
    int   code;
    char *out, *err;
};

/* argv ends with NULL; argv[0] is the program. */
struct ran run_command(char *argv[]);
void       ran_forget(struct ran *ran);

/* Runs, compares all, forgets. NULL: not compared. */
void expect_run(char *argv[], int code, const char *out, const char *err);

#define ARGS(...) ((char *[]){ "larder", __VA_ARGS__, NULL })

#endif
