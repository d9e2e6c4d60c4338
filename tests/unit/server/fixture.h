/* fixture.h: snapshots from flags, and a folder for sockets. */
#ifndef TEST_SERVER_FIXTURE_H
#define TEST_SERVER_FIXTURE_H

#include <larder/config/snapshot.h>

/* What `larder run` would load; the flags end with NULL. */
struct snapshot *snapshot_of(char *const argv[]);

#define FLAGS(...) ((char *const[]){ __VA_ARGS__, NULL })

/* A new folder; forget_folder removes it, which must be empty. Returns out. */
enum { FOLDER_SIZE = 32 };
char *make_folder(char out[static FOLDER_SIZE]);
void  forget_folder(const char *folder);

/* A blocking connection. */
int connect_to(const struct addr *addr);

#endif
