/* super.c: see super.h.
 */
#include "super.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const char *const super_names[SUPER_COPIES] = { "super.A", "super.B" };

static const unsigned char magic[8] = { 'l', 'a', 'r', 'd', 'e', 'r', 'S', 'B' };

static uint64_t
sum_of(const struct super *super)
{
    return hash_checksum(span_of(super, offsetof(struct super, sum)));
}

enum super_state
super_read(int directory, const char *name, struct super *super)
{
    unsigned char page[SUPER_SIZE];
    int           fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? SUPER_NONE : SUPER_FOREIGN;
    ssize_t n = pread(fd, page, sizeof page, 0);
    close(fd);
    if (n == 0)
        return SUPER_NONE;
    if (n < (ssize_t)sizeof magic || memcmp(page, magic, sizeof magic) != 0)
        return SUPER_FOREIGN;
    if (n < SUPER_SIZE)
        return SUPER_NONE;
    memcpy(super, page, sizeof *super);
    if (le32_get(super->format) != LAYOUT_FORMAT)
        return SUPER_OTHER; /* or its format is what was damaged: all the same */
    return le64_get(super->sum) == sum_of(super) ? SUPER_VALID : SUPER_DAMAGED;
}

/* 0 or an errno. */
static int
write_page(int fd, const unsigned char page[SUPER_SIZE])
{
    ssize_t n = pwrite(fd, page, SUPER_SIZE, 0);
    if (n != SUPER_SIZE)
        return n < 0 ? errno : ENOSPC;
    return fdatasync(fd) == 0 ? 0 : errno;
}

enum err
super_write(int directory, const char *path, struct super *super, struct fault *fault)
{
    unsigned char page[SUPER_SIZE] = { 0 };
    const char   *name = super_names[le64_get(super->generation) % SUPER_COPIES];

    memcpy(super->magic, magic, sizeof magic);
    super->format = le32_of(LAYOUT_FORMAT);
    super->sum = le64_of(sum_of(super));
    memcpy(page, super, sizeof *super);
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fault_set_errno(fault, errno, "cannot open %s/%s", path, name);
    int error = write_page(fd, page);
    close(fd);
    return error == 0 ? ERR_NONE : fault_set_errno(fault, error, "cannot write %s/%s", path, name);
}

void
super_read_boot(unsigned char boot[static 16])
{
    char text[64] = "";
    int  fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    memset(boot, 0, 16);
    if (fd < 0)
        return;
    if (read(fd, text, sizeof text - 1) > 0) {
        struct digest digest = { hash_checksum(SPAN("boot")), hash_checksum(span_of_text(text)) };
        memcpy(boot, &digest, 16);
    }
    close(fd);
}
