/* run.c: `larder run`: configuration, log, server; and one line when any of it cannot be had. */
#include <larder/server/run.h>

#include <larder/config/load.h>
#include <larder/config/reference.h>
#include <larder/server/server.h>
#include <stdlib.h>

static int
complain(FILE *err, const struct fault *fault)
{
    fprintf(err, "larder run: %s\n", fault->text);
    return EXIT_FAILURE;
}

/* After the findings of a file, their number. */
static int
close_report(FILE *err, const struct fault *fault)
{
    fprintf(err, "%s\n", fault->text);
    return EXIT_FAILURE;
}

static int
serve(struct snapshot *snapshot, FILE *err)
{
    struct log    *log;
    struct server *server;
    struct fault   fault;

    fflush(err);
    if (log_open(&log, fileno(err), LOG_INFO) != ERR_NONE) {
        fault_set(&fault, ERR_NO_MEMORY, "no memory for the log");
        return complain(err, &fault);
    }
    enum err started = server_start(&server, snapshot, log, &fault);
    if (started == ERR_NONE) {
        server_run(server);
        server_destroy(&server);
        log_write(log, LOG_INFO, "stopped");
    }
    log_close(&log);
    return started == ERR_NONE ? EXIT_SUCCESS : complain(err, &fault);
}

int
run_server(int argc, char *argv[], FILE *err)
{
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault;
    int              code;

    report_init(&report);
    enum err loaded = config_load_arguments(argc, argv, &report, &snapshot, &fault);
    report_print(&report, err);
    if (loaded == ERR_NONE)
        code = serve(snapshot, err);
    else if (report.count == 0)
        code = complain(err, &fault);
    else
        code = close_report(err, &fault);
    snapshot_release(&snapshot);
    report_fini(&report);
    return code;
}

void
run_print_flags(FILE *out)
{
    fprintf(out, "\n  -c %-27s %s\n", "FILE", "A configuration, in place of the flags of a site.");
    reference_print_flags(out);
}
