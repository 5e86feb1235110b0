#include "cli/doctor/doctor.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX   4096
#define OFFSET_WARN  0.1
#define OFFSET_ERROR 1.0
#define REMEDY       "Let chrony or systemd-timesyncd run; see 'chronyc sources' for whom it hears."

/* Runs 'chronyc -c tracking' and returns what it prints, or false if it can't be asked. */
static bool ask_chrony(char out[OUTPUT_MAX])
{
    char program[] = "chronyc";
    char option[] = "-c";
    char verb[] = "tracking";
    char *const command[] = {program, option, verb, NULL};
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    bool started = posix_spawnp(&pid, "chronyc", &actions, NULL, command, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t len = 0;
    ssize_t got = 1;
    while (started && got > 0 && len < OUTPUT_MAX - 1) {
        got = read(ends[0], out + len, OUTPUT_MAX - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    close(ends[0]);
    out[len] = '\0';
    int status = 1;
    return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0 && len > 0;
}

/* The n-th field of a line of comma-separated values, from 0; "" if there are fewer. */
static const char *field(char *line, unsigned n)
{
    char *rest = line;
    char *at = strsep(&rest, ",\n");
    while (at && n-- > 0) {
        at = strsep(&rest, ",\n");
    }
    return at ? at : "";
}

static void find_chrony(struct findings *findings, const char *answer)
{
    char copy[OUTPUT_MAX];
    snprintf(copy, sizeof copy, "%s", answer);
    double offset = fabs(strtod(field(copy, 4), NULL)); /* seconds of system time */
    snprintf(copy, sizeof copy, "%s", answer);
    const char *leap = field(copy, 13);
    bool lost = strcmp(leap, "Not synchronised") == 0;
    enum severity severity = offset > OFFSET_ERROR          ? FINDING_ERROR
                             : lost || offset > OFFSET_WARN ? FINDING_WARN
                                                            : FINDING_OK;
    finding(findings, severity, "clock", severity == FINDING_OK ? NULL : REMEDY,
            "chrony: %.6f s off%s", offset, lost ? ", and not synchronised" : "");
}

void doctor_clock(struct findings *findings)
{
    char answer[OUTPUT_MAX];
    if (ask_chrony(answer)) {
        find_chrony(findings, answer);
        return;
    }
    struct timex kernel = {0};
    int state = adjtimex(&kernel);
    bool synchronised = state != TIME_ERROR && !(kernel.status & STA_UNSYNC);
    finding(findings,
            state < 0      ? FINDING_NOTE
            : synchronised ? FINDING_OK
                           : FINDING_WARN,
            "clock", synchronised && state >= 0 ? NULL : REMEDY,
            "chrony does not run here; the kernel says that the clock is %s",
            state < 0      ? "nothing that it tells about"
            : synchronised ? "synchronised"
                           : "not synchronised");
}
