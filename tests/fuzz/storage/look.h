/* look.h: a damaged directory, looked into before anything is made of it. */
#ifndef FUZZ_STORAGE_LOOK_H
#define FUZZ_STORAGE_LOOK_H

/* How much is damaged; 1 too when it cannot be opened. */
unsigned look_verify(const char *directory);

/* How many objects are listed. */
unsigned look_list(const char *directory);

#endif
