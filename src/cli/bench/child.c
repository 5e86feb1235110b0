#include "cli/bench/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX   24
#define OUTPUT_MAX 65536
#define SELF       "/proc/self/exe"
#define LISTENING  "listening on http"
#define AT         "://localhost:"

static enum err spawn(struct child *out, char *const *argv, const int pipe_fds[2])
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return ERR_IO;
    }
    enum err err = ERR_IO;
    if (posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO) == 0 &&
        posix_spawn(&out->pid, SELF, &actions, NULL, argv, environ) == 0) {
        err = OK;
    }
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

enum err child_start(struct child *out, const char *const *argv, struct why *why)
{
    char *copy[ARGS_MAX + 2] = {mem_strdup("cairn")};
    size_t count = 1;
    for (; argv[count - 1]; count++) {
        BUG_ON(count > ARGS_MAX);
        copy[count] = mem_strdup(argv[count - 1]);
    }
    *out = (struct child){0};
    int fds[2];
    enum err err = pipe2(fds, O_CLOEXEC) == 0 ? OK : ERR_IO;
    if (err == OK) {
        err = spawn(out, copy, fds);
        close(fds[1]);
        out->out = fds[0];
        if (err != OK) {
            close(fds[0]);
            *out = (struct child){0};
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(copy[i]);
    }
    return err == OK ? OK : why_say(why, err, "process", argv[0], "did not start", NULL);
}

int child_end(struct child *child, int signal_number)
{
    if (child->pid == 0) {
        return 0;
    }
    if (signal_number != 0) {
        kill(child->pid, signal_number);
    }
    char rest[512];
    while (read(child->out, rest, sizeof rest) > 0) {
    }
    close(child->out);
    int state = 0;
    while (waitpid(child->pid, &state, 0) < 0 && errno == EINTR) {
    }
    *child = (struct child){0};
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

/* Reads to the end of the output or of its first line. */
static void read_output(const struct child *child, struct buf *out, bool line)
{
    ssize_t got = 1;
    while (got > 0 && out->len < OUTPUT_MAX) {
        uint8_t part[512];
        got = read(child->out, part, line ? 1 : sizeof part);
        if (got > 0) {
            buf_put(out, (struct bytes){part, (size_t)got});
        }
        if (line && got == 1 && part[0] == '\n') {
            break;
        }
    }
    buf_put_byte(out, '\0');
}

enum err served_start(struct served *out, const char *const *argv, struct why *why)
{
    *out = (struct served){0};
    uint64_t began = clock_mono_ns();
    TRY(child_start(&out->child, argv, why));
    struct buf line = {0};
    read_output(&out->child, &line, true);
    out->start_ns = clock_mono_ns() - began;
    const char *text = (const char *)line.at;
    enum err err = ERR_IO;
    const char *at = strncmp(text, LISTENING, strlen(LISTENING)) == 0 ? strstr(text, AT) : NULL;
    if (at) {
        out->port = (uint16_t)strtoul(at + strlen(AT), NULL, 10);
        err = OK;
    }
    buf_clear(&line);
    if (err != OK) {
        child_end(&out->child, SIGKILL);
        why_say(why, err, "process", argv[0], "does not serve", "See what it wrote above.");
    }
    return err;
}

static uint64_t member(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static enum err read_result(struct load_result *out, const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    *out = (struct load_result){
        .units = member(object, "units"),
        .refused = member(object, "refused"),
        .elapsed_ns = member(object, "elapsed_ns"),
        .cpu_ns = member(object, "cpu_ns"),
    };
    json_decref(object);
    return out->elapsed_ns > 0 ? OK : ERR_IO;
}

enum err load_run(struct load_result *out, const struct load_plan *plan, struct why *why)
{
    char port[8];
    char connections[16];
    char ms[16];
    snprintf(port, sizeof port, "%u", plan->port);
    snprintf(connections, sizeof connections, "%u", plan->connections);
    snprintf(ms, sizeof ms, "%u", plan->ms);
    const char *const argv[] = {"bench",
                                "load",
                                "--port",
                                port,
                                "--path",
                                plan->path,
                                "--type",
                                plan->type,
                                "--file",
                                plan->file,
                                "--connections",
                                connections,
                                "--ms",
                                ms,
                                plan->tls ? "--tls" : NULL,
                                NULL};
    struct child child;
    TRY(child_start(&child, argv, why));
    struct buf text = {0};
    read_output(&child, &text, false);
    int status = child_end(&child, 0);
    enum err err = status == 0 ? read_result(out, (const char *)text.at) : ERR_IO;
    buf_clear(&text);
    return err == OK ? OK
                     : why_say(why, err, "load generator", plan->path, "failed",
                               "See what it wrote above.");
}
