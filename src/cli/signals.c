#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static sigset_t waited_for(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void signals_block(void)
{
    sigset_t set = waited_for();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

int signals_wait(unsigned wait_ms)
{
    sigset_t set = waited_for();
    struct timespec most = {.tv_sec = wait_ms / 1000, .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    int number = sigtimedwait(&set, NULL, &most);
    return number > 0 ? number : 0;
}

/* Nothing but _exit is safe here, and nothing else is needed. */
static void exit_at_once(int number)
{
    _exit(128 + number);
}

void signals_exit_at_once(void)
{
    struct sigaction at_once = {.sa_handler = exit_at_once};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaction(SIGTERM, &at_once, NULL);
    sigaction(SIGINT, &at_once, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
