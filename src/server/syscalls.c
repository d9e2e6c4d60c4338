/* syscalls.c: see syscalls.h.
 *
 * The tables are for all processors: what one does not have is passed over. A call that is allowed whatever its
 * arguments costs nothing that can be measured (since Linux 5.11 a bit in a map), and all calls on the way of a hit are
 * of that kind.
 */
#include "syscalls.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ── what is allowed ── */

/* clang-format off */
static const char *const allowed[] = {
    /* connections */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv",
    "recvfrom", "recvmmsg", "recvmsg", "send", "sendfile", "sendmmsg", "sendmsg", "sendto", "setsockopt",
    "shutdown",
    /* descriptors, and waiting for them */
    "close", "close_range", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "fcntl", "pipe2", "poll", "ppoll", "pselect6",
    "select", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* bytes of files */
    "fadvise64", "fallocate", "fdatasync", "fsync", "ftruncate", "lseek", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readv", "sync_file_range", "write", "writev",
    /* names of files; which ones is Landlock's business */
    "access", "faccessat", "faccessat2", "flock", "fstat", "fstatfs", "getcwd", "getdents64", "lstat",
    "memfd_create", "mkdir", "mkdirat", "newfstatat", "open", "openat", "readlink", "readlinkat", "rename",
    "renameat", "renameat2", "rmdir", "stat", "statfs", "statx", "umask", "unlink", "unlinkat",
    /* memory; mmap and mprotect have a rule below */
    "brk", "madvise", "mincore", "mlock", "mremap", "msync", "munlock", "munmap",
    /* threads, signals, the end; clone has a rule below */
    "exit", "exit_group", "futex", "get_robust_list", "gettid", "membarrier", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list", "sigaltstack",
    /* time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time", "times",
    /* who and where we are */
    "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpid", "getppid", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getuid", "sysinfo", "uname",
};
/* clang-format on */

/* Newer than the libseccomp of Debian 12, and the same number everywhere. */
static const int allowed_numbers[] = { 451 /* cachestat */ };

/* Allowed where one argument, less the bits that `mask` leaves out, has this value. */
static const struct argument_rule {
    const char *call;
    unsigned    argument;
    uint64_t    mask, value;
} rules[] = {
    { "clone", 0, CLONE_THREAD, CLONE_THREAD }, /* clone3 has its flags in memory: no filter sees them */
    { "mmap", 2, PROT_EXEC, 0 },
    { "mmap2", 2, PROT_EXEC, 0 },
    { "mprotect", 2, PROT_EXEC, 0 },
    { "prctl", 0, UINT32_MAX, PR_SET_NAME },
    { "prctl", 0, UINT32_MAX, PR_GET_NAME },
    { "sched_setscheduler", 1, UINT32_MAX, SCHED_BATCH }, /* threads of the store and of the access log */
    { "prlimit64", 2, UINT64_MAX, 0 },    /* to look, not to set */
    { "socket", 0, UINT32_MAX, AF_INET }, /* none to programs of this machine: Landlock lets them through */
    { "socket", 0, UINT32_MAX, AF_INET6 },
    { "ioctl", 1, UINT32_MAX, FIONBIO },
    { "ioctl", 1, UINT32_MAX, FIONREAD },
    { "ioctl", 1, UINT32_MAX, TIOCOUTQ },     /* what a socket has not sent yet */
    { "ioctl", 1, UINT32_MAX, TCGETS },       /* isatty() */
    { "ioctl", 1, UINT32_MAX, SIOCGIFINDEX }, /* fe80::1%eth0 */
    { "ioctl", 1, UINT32_MAX, SIOCGIFNAME },
};

/* ── what ends the process ── */

/* clang-format off */
static const char *const deadly[] = {
    /* another program */
    "execve", "execveat", "fork", "vfork", "uselib",
    /* another user */
    "capset", "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid",
    "setreuid", "setuid",
    /* another process */
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    /* the system */
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
    "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl",
    "kexec_file_load", "kexec_load", "keyctl", "modify_ldt", "mount", "mount_setattr", "move_mount",
    "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "personality", "pivot_root",
    "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",
    "settimeofday", "swapoff", "swapon", "syslog", "umount", "umount2", "unshare", "userfaultfd", "vhangup",
};
/* clang-format on */

/* ── the filter ── */

/* 0 or a negative errno. A name that the library or the processor does not know is passed over. */
static int
add_call(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned *count)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number < 0)
        return 0;
    *count += 1;
    return seccomp_rule_add(filter, action, number, 0);
}

static int
add_rule(scmp_filter_ctx filter, const struct argument_rule *rule)
{
    int                       number = seccomp_syscall_resolve_name(rule->call);
    const struct scmp_arg_cmp argument = {
        .arg = rule->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = rule->mask, .datum_b = rule->value
    };

    return number < 0 ? 0 : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &argument);
}

/* abort() sends its signal to the own process; nobody else is ever sent one. And a new process is the beginning of
 * another program. */
static int
add_own_rules(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp self = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid(), .datum_b = 0
    };
    const struct scmp_arg_cmp process = {
        .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = 0
    };

    int failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self);
    if (failed == 0)
        failed = seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &process);
    return failed;
}

static int
add_all(scmp_filter_ctx filter, unsigned *count)
{
    unsigned dead = 0;
    int      failed = 0;

    *count = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && failed == 0; i++)
        failed = add_call(filter, SCMP_ACT_ALLOW, allowed[i], count);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0] && failed == 0; i++)
        failed = add_call(filter, SCMP_ACT_KILL_PROCESS, deadly[i], &dead);
    for (size_t i = 0; i < sizeof allowed_numbers / sizeof allowed_numbers[0] && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_numbers[i], 0);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && failed == 0; i++)
        failed = add_rule(filter, &rules[i]);
    return failed == 0 ? add_own_rules(filter) : failed;
}

/* Calls of another architecture (32 bits on x86-64) are a way around the tables. The mitigations that older kernels tie
 * to a filter are for programs that run other people's code. */
static int
set_up(scmp_filter_ctx filter)
{
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (failed == 0)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (failed == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    return failed;
}

bool
syscalls_can_confine(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS; /* Linux 4.14 */
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

enum err
syscalls_confine(unsigned *count, struct fault *fault)
{
    if (!syscalls_can_confine())
        return fault_set(fault, ERR_UNSUPPORTED, "this kernel has no seccomp filters (Linux 4.14 or later)");
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the filter of system calls");
    int failed = set_up(filter);
    if (failed == 0)
        failed = add_all(filter, count);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed == 0 ? ERR_NONE
                       : fault_set_errno(fault, -failed, "the kernel does not confine system calls");
}
