/* Loaded before the C library by LD_PRELOAD, into `cairn` alone: the engine makes its system calls
 * itself and sees nothing of this.
 *
 * CAIRN_TEST_CLOCK=FILE: the wall clock shows so many milliseconds more (or less) as stand in the
 * file's first eight bytes, which may change at any time.
 * CAIRN_TEST_KILL="POINT COUNT WHO": at the COUNT-th time that the program passes POINT, somebody
 * is killed as by kill -9: "self", or the "engine", the process that the answer is for.
 *   finalize-unsaid, finalize-said   before and after the answer to FinalizeBlock is written
 *   commit-unsaid, commit-said       the same of Commit
 *   sync-before, sync-after          before and after any fsync and fdatasync; "self" only */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

/* The first byte of ABCI's Response, behind its length: the field's tag. */
#define TAG_FINALIZE 0xaa
#define TAG_COMMIT   0x62

enum point {
    POINT_NONE,
    FINALIZE_UNSAID,
    FINALIZE_SAID,
    COMMIT_UNSAID,
    COMMIT_SAID,
    SYNC_BEFORE,
    SYNC_AFTER
};
static const char *const point_names[] = {
    "",          "finalize-unsaid", "finalize-said", "commit-unsaid", "commit-said", "sync-before",
    "sync-after"};

static const int64_t no_shift;
static const volatile int64_t *clock_shift = &no_shift; /* ms */
static enum point wanted;
static bool engine_dies;
static atomic_long left;

static void map_clock(const char *path)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *at = mmap(NULL, sizeof *clock_shift, PROT_READ, MAP_SHARED, fd, 0);
        clock_shift = at == MAP_FAILED ? &no_shift : at;
        close(fd);
    }
}

__attribute__((constructor)) static void read_environment(void)
{
    char name[32];
    char who[16];
    long count;
    const char *strike = getenv("CAIRN_TEST_KILL");
    map_clock(getenv("CAIRN_TEST_CLOCK"));
    if (!strike || sscanf(strike, "%31s %ld %15s", name, &count, who) != 3) {
        return;
    }
    for (size_t i = 1; i < sizeof point_names / sizeof *point_names; i++) {
        if (strcmp(name, point_names[i]) == 0) {
            wanted = (enum point)i;
        }
    }
    engine_dies = strcmp(who, "engine") == 0;
    atomic_store(&left, count);
}

/* ---- clock */

int clock_gettime(clockid_t id, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, id, out);
    int64_t clock_ms = *clock_shift;
    if (result == 0 && clock_ms && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = out->tv_nsec + clock_ms % MS_PER_S * NS_PER_MS;
        out->tv_sec += clock_ms / MS_PER_S + (ns < 0 ? -1 : ns / NS_PER_S);
        out->tv_nsec = ns < 0 ? ns + NS_PER_S : ns % NS_PER_S;
    }
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

/* ---- points */

static void strike(enum point point, int fd)
{
    if (point != wanted || atomic_fetch_sub(&left, 1) != 1) {
        return;
    }
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (!engine_dies) {
        kill(getpid(), SIGKILL);
    } else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
        kill(peer.pid, SIGKILL);
    }
}

static bool is_unix(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &len) == 0 && name.ss_family == AF_UNIX;
}

/* Whether one of the frames that begin in these bytes has the tag. */
static bool has_frame(const uint8_t *at, size_t len, uint8_t tag)
{
    size_t i = 0;
    while (i < len) {
        uint64_t frame_len = 0;
        unsigned shift = 0;
        while (i < len && at[i] >= 0x80 && shift < 28) {
            frame_len |= (uint64_t)(at[i++] & 0x7f) << shift;
            shift += 7;
        }
        if (i + 1 >= len) {
            return false;
        }
        frame_len |= (uint64_t)at[i++] << shift;
        if (at[i] == tag) {
            return true;
        }
        i += frame_len;
    }
    return false;
}

/* What the bytes are that are about to be written. */
static enum point answer_point(int fd, const void *at, size_t len)
{
    if (wanted < FINALIZE_UNSAID || wanted > COMMIT_SAID || !is_unix(fd)) {
        return POINT_NONE;
    }
    if (has_frame(at, len, TAG_FINALIZE)) {
        return FINALIZE_UNSAID;
    }
    return has_frame(at, len, TAG_COMMIT) ? COMMIT_UNSAID : POINT_NONE;
}

static void after(enum point point, int fd)
{
    if (point == FINALIZE_UNSAID || point == COMMIT_UNSAID) {
        strike(point == FINALIZE_UNSAID ? FINALIZE_SAID : COMMIT_SAID, fd);
    }
}

ssize_t write(int fd, const void *at, size_t len)
{
    enum point point = answer_point(fd, at, len);
    strike(point, fd);
    ssize_t written = syscall(SYS_write, fd, at, len);
    after(point, fd);
    return written;
}

ssize_t send(int fd, const void *at, size_t len, int flags)
{
    enum point point = answer_point(fd, at, len);
    strike(point, fd);
    ssize_t written = syscall(SYS_sendto, fd, at, len, flags, NULL, 0);
    after(point, fd);
    return written;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    enum point point = message->msg_iovlen ? answer_point(fd, message->msg_iov[0].iov_base,
                                                          message->msg_iov[0].iov_len)
                                           : POINT_NONE;
    strike(point, fd);
    ssize_t written = syscall(SYS_sendmsg, fd, message, flags);
    after(point, fd);
    return written;
}

static int sync_with(long number, int fd)
{
    strike(SYNC_BEFORE, fd);
    int result = (int)syscall(number, fd);
    strike(SYNC_AFTER, fd);
    return result;
}

int fsync(int fd)
{
    return sync_with(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_with(SYS_fdatasync, fd);
}
