/* server.h: a larder that serves: everything that a snapshot of the configuration asks for, from start
 * to stop.
 *
 *      loop ─▶ sockets ─▶ admin socket ─▶ user, sandbox ─▶ logs ─▶ store ─▶ cache ─▶ workers ─▶ admin API ─▶ names ─▶ threads
 *
 * It starts in this order, and stops backwards; what the process has given up (root, system calls, files) stays so.
 *
 * What can fail for want of something (a port, a folder, a name for a socket) comes before any thread
 * serves; a failure gives back all that was had before it. The calling thread becomes the control thread.
 *
 * Owner: the thread that calls.
 */
#ifndef LARDER_SERVER_SERVER_H
#define LARDER_SERVER_SERVER_H

#include <larder/base/log.h>
#include <larder/config/snapshot.h>

struct server;

/* Starts, the log's thread too; holds a reference to the snapshot. Clients are served from now on. SIGTERM, SIGINT,
 * SIGHUP (files of networks are read again) and SIGUSR1 (the access log is opened anew) are blocked in the calling thread
 * and taken by server_run. The fault says what could not be had, and where. */
MUST_CHECK enum err server_start(struct server **server, struct snapshot *snapshot, struct log *log,
                                 struct fault *fault);

/* Runs the control loop until a signal says to stop and all workers have ended. A second signal ends them
 * at once. */
void server_run(struct server *server);

/* Stops what still runs, at once, and gives everything back. */
void server_destroy(struct server **server);

/* The addresses that clients reach: `index` from 0 in the order of the snapshot, ports as given by the
 * system. NULL after the last. */
const struct addr *server_address(const struct server *server, size_t index);

#endif
