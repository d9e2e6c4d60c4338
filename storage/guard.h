/* guard.h: touching the map of a file that may be gone behind it.
 *
 * A mapped page that cannot be read (the disk has a bad place, the file was cut by somebody else) is not an
 * errno but a SIGBUS. Here the touch is inside guard_run, and the signal is its return value. Bytes that
 * leave by write(2) need none of this: there the kernel says EFAULT.
 */
#ifndef LARDER_STORAGE_GUARD_H
#define LARDER_STORAGE_GUARD_H

#include <stdbool.h>

/* Takes SIGBUS for the process; a SIGBUS outside of a guard ends it as before. Idempotent, any thread. */
void guard_install(void);

/* Calls `work`. False: it touched what cannot be read and was left there, so it may hold no lock and own
 * nothing. Not nested. */
typedef void guard_work(void *context);
bool         guard_run(guard_work *work, void *context);

#endif
