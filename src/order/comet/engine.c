/* One thread has the process: it forks it (the kernel kills the process when that thread is gone,
 * however it went), reads what it prints, waits for its end, and forks the next.
 *
 * States of the thread: running (a process is there), pausing (the next is due later), done. What
 * others want of it, stop or a restart, they say in two flags and a byte in `wake`. */
#include "order/comet/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "order/comet/engine_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS   10000
#define LONG_RUN_MS    60000
#define STOP_MS        10000

struct engine {
    char *program; /* absolute */
    int home;
    int wake; /* an eventfd */
    engine_ended_fn *ended;
    void *context;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below it up to the next comment */
    bool stopping;
    bool restarting;
    struct engine_process process;

    /* Of the thread alone. */
    pid_t pid;
    int pidfd;
    int output;
    uint64_t started_ns;
    uint64_t kill_at_ns; /* when SIGTERM has had its time; 0: not sent */
    unsigned pause_ms;
    struct engine_log log;
};

/* In the child, where only what is safe after a fork may be called. Does not return. */
__attribute__((noreturn)) static void become_engine(const struct engine *engine, pid_t parent,
                                                    int output)
{
    /* No variable of ours reaches it: CMT_... would change its configuration. */
    static const char *const environment[] = {NULL};
    const char *const arguments[] = {"cometbft", "start", "--home", ".", NULL};
    static const char failed[] = "the program can't be executed\n";
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &usual, NULL);
    umask(077);
    setpgid(0, 0); /* a terminal's Ctrl-C is for us, and we stop it in order */
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && null >= 0 &&
        fchdir(engine->home) == 0 && dup2(null, 0) == 0 && dup2(output, 1) == 1 &&
        dup2(output, 2) == 2 && close_range(3, ~0u, 0) == 0) {
        execve(engine->program, (char *const *)(uintptr_t)arguments,
               (char *const *)(uintptr_t)environment);
        (void)!write(2, failed, sizeof failed - 1);
    }
    _exit(127); /* allowed: a child of fork that could not become another program */
}

static void note_start(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->process.pid = engine->pid;
    engine->process.since_ms = clock_wall_ms();
    engine->restarting = false;
    pthread_mutex_unlock(&engine->lock);
    log_event(LOG_INFO, "engine.started", "pid=%d", (int)engine->pid);
}

static enum err spawn(struct engine *engine)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ERR_IO;
    }
    /* One that was killed leaves its socket, and could not make it anew. */
    (void)unlinkat(engine->home, ENGINE_RPC_SOCKET, 0);
    pid_t parent = getpid();
    engine->pid = fork();
    if (engine->pid == 0) {
        become_engine(engine, parent, ends[1]);
    }
    close(ends[1]);
    if (engine->pid < 0) {
        close(ends[0]);
        return ERR_IO;
    }
    engine->output = ends[0];
    fcntl(engine->output, F_SETFL, O_NONBLOCK);
    engine->pidfd = pidfd_open(engine->pid, 0);
    BUG_ON(engine->pidfd < 0);
    engine->started_ns = clock_mono_ns();
    engine->kill_at_ns = 0;
    engine->log.failed = false;
    note_start(engine);
    return OK;
}

static void read_output(struct engine *engine)
{
    uint8_t part[8192];
    ssize_t got;
    while ((got = read(engine->output, part, sizeof part)) > 0) {
        engine_log_feed(&engine->log, (struct bytes){part, (size_t)got});
    }
}

static void take_wake(const struct engine *engine)
{
    uint64_t count;
    (void)!read(engine->wake, &count, sizeof count);
}

/* Ends the process if somebody wants that, or if its consensus failed. */
static void end_if_wanted(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool stopping = engine->stopping;
    bool restarting = engine->restarting || engine->log.failed;
    pthread_mutex_unlock(&engine->lock);
    uint64_t now_ns = clock_mono_ns();
    if (restarting || (engine->kill_at_ns > 0 && now_ns >= engine->kill_at_ns)) {
        kill(engine->pid, SIGKILL);
    } else if (stopping && engine->kill_at_ns == 0) {
        kill(engine->pid, SIGTERM);
        engine->kill_at_ns = now_ns + STOP_MS * UINT64_C(1000000);
    }
}

/* Waits until the process has ended; returns how (waitpid's status). */
static int run_to_end(struct engine *engine)
{
    struct pollfd at[] = {{.fd = engine->pidfd, .events = POLLIN},
                          {.fd = engine->wake, .events = POLLIN},
                          {.fd = engine->output, .events = POLLIN}};
    while (at[0].revents == 0) {
        end_if_wanted(engine);
        (void)poll(at, 3, engine->kill_at_ns > 0 ? 100 : -1);
        if (at[1].revents) {
            take_wake(engine);
        }
        read_output(engine);
        if (at[2].revents & POLLHUP) {
            at[2].fd = -1; /* it closed its output: only its end is left to come */
        }
    }
    read_output(engine);
    engine_log_end(&engine->log);
    int status = 0;
    while (waitpid(engine->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(engine->pidfd);
    close(engine->output);
    return status;
}

/* Notes how it ended. Returns whether that was wanted for good. */
static bool note_end(struct engine *engine, int status)
{
    char problem[sizeof engine->process.problem];
    snprintf(problem, sizeof problem, "ended by %s %d%s%s",
             WIFSIGNALED(status) ? "signal" : "itself with status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
             engine->log.problem[0] ? ": " : "", engine->log.problem);
    pthread_mutex_lock(&engine->lock);
    bool stopping = engine->stopping;
    engine->process.pid = 0;
    if (!stopping) {
        engine->process.restarts++;
        memcpy(engine->process.problem, problem, sizeof problem);
    }
    pthread_mutex_unlock(&engine->lock);
    if (stopping) {
        log_event(LOG_INFO, "engine.stopped", "status=%d", status);
        return true;
    }
    uint64_t run_ms = (clock_mono_ns() - engine->started_ns) / 1000000;
    engine->pause_ms = run_ms >= LONG_RUN_MS || engine->pause_ms == 0 ? PAUSE_FIRST_MS
                       : engine->pause_ms * 2 > PAUSE_MAX_MS          ? PAUSE_MAX_MS
                                                                      : engine->pause_ms * 2;
    log_event(LOG_ERROR, "engine.ended", "problem=\"%s\" again_ms=%u", problem, engine->pause_ms);
    engine->log.problem[0] = 0;
    if (engine->ended) {
        engine->ended(engine->context, problem);
    }
    return false;
}

/* Waits until the next start is due. Returns false if there is to be none. */
static bool pause_over(struct engine *engine)
{
    uint64_t due_ns = clock_mono_ns() + engine->pause_ms * UINT64_C(1000000);
    for (;;) {
        pthread_mutex_lock(&engine->lock);
        bool stopping = engine->stopping;
        pthread_mutex_unlock(&engine->lock);
        uint64_t now_ns = clock_mono_ns();
        if (stopping || now_ns >= due_ns) {
            return !stopping;
        }
        struct pollfd at = {.fd = engine->wake, .events = POLLIN};
        (void)poll(&at, 1, (int)((due_ns - now_ns) / 1000000) + 1);
        if (at.revents) {
            take_wake(engine);
        }
    }
}

static void *supervise(void *context)
{
    struct engine *engine = context;
    do {
        if (spawn(engine) != OK) {
            engine->pause_ms = PAUSE_MAX_MS;
            log_event(LOG_ERROR, "engine.not_started", "errno=%d again_ms=%u", errno,
                      engine->pause_ms);
        } else if (note_end(engine, run_to_end(engine))) {
            break;
        }
    } while (pause_over(engine));
    return NULL;
}

/* Opens what the thread needs. `out` is zeroed, with -1 for what is not open. */
static enum err open_engine(struct engine *out, const struct engine_options *options,
                            struct why *why)
{
    out->program = realpath(options->program, NULL);
    if (!out->program || access(out->program, X_OK) != 0) {
        return why_say(why, ERR_NOT_FOUND, "engine", options->program,
                       "is not there, or can't be executed",
                       "Build it with 'make engine', or say where it is: engine = PATH.");
    }
    out->home = open(options->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->home < 0) {
        return why_say(why, ERR_IO, "engine", options->home, "is not a folder", NULL);
    }
    out->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    BUG_ON(out->wake < 0);
    return OK;
}

static void close_engine(struct engine *engine)
{
    if (engine->home >= 0) {
        close(engine->home);
    }
    if (engine->wake >= 0) {
        close(engine->wake);
    }
    free(engine->program);
    free(engine);
}

enum err engine_start(struct engine **out, const struct engine_options *options,
                      engine_ended_fn *ended, void *context, struct why *why)
{
    struct engine *engine = mem_zalloc(sizeof *engine);
    engine->home = -1;
    engine->wake = -1;
    enum err err = open_engine(engine, options, why);
    if (err != OK) {
        close_engine(engine);
        return err;
    }
    engine->ended = ended;
    engine->context = context;
    pthread_mutex_init(&engine->lock, NULL);
    BUG_ON(pthread_create(&engine->thread, NULL, supervise, engine) != 0);
    *out = engine;
    return OK;
}

static void tell(struct engine *engine, bool *flag)
{
    pthread_mutex_lock(&engine->lock);
    *flag = true;
    pthread_mutex_unlock(&engine->lock);
    uint64_t one = 1;
    (void)!write(engine->wake, &one, sizeof one);
}

void engine_stop(struct engine *engine)
{
    if (engine) {
        tell(engine, &engine->stopping);
        pthread_join(engine->thread, NULL);
        pthread_mutex_destroy(&engine->lock);
        close_engine(engine);
    }
}

void engine_restart(struct engine *engine)
{
    tell(engine, &engine->restarting);
}

void engine_status(struct engine *engine, struct engine_process *out)
{
    pthread_mutex_lock(&engine->lock);
    *out = engine->process;
    pthread_mutex_unlock(&engine->lock);
}
