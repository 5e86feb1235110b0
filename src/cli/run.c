#include "cli/output.h"
#include "cli/verbs.h"
#include "http/api.h"
#include "node/node.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8420"
#define STOP_WAIT_MS   10000

/* Where to listen, from "127.0.0.1:8420" or "[::1]:8420". */
struct listen {
    char address[64];
    uint16_t port;
};

static enum err listen_parse(struct listen *out, const char *text, struct why *why)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > UINT16_MAX) {
        return why_say(why, ERR_FORMAT, "--listen", text, "is not ADDRESS:PORT",
                       "Write it as 127.0.0.1:8420; port 0 takes any free one.");
    }
    bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
    const char *from = brackets ? text + 1 : text;
    size_t len = (size_t)(colon - from) - brackets;
    if (len >= sizeof out->address) {
        return why_say(why, ERR_RANGE, "--listen", text, "is too long", "Give a numeric address.");
    }
    memcpy(out->address, from, len);
    out->address[len] = '\0';
    out->port = (uint16_t)port;
    return OK;
}

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    return strcmp(address, "::1") == 0 ||
           (inet_pton(AF_INET, address, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

/* Everybody who reaches the socket may read: until connections are encrypted and readers known,
 * that must be this machine alone. */
static enum err check_loopback(const struct listen *listen, struct why *why)
{
    return is_loopback(listen->address)
               ? OK
               : why_say(
                     why, ERR_REFUSED, "--listen", listen->address,
                     "is not the loopback interface, the only one that is served",
                     "Use 127.0.0.1, and a reverse proxy with TLS and access control for others.");
}

static void say_state(struct node *node, const struct server *server)
{
    struct why why;
    if (node_read_only(node, &why)) {
        fprintf(stderr, "cairn: read-only: %s %s. %s\n", why.field, why.problem, why.remedy);
    }
    printf("listening on http://localhost:%u\n", server_port(server));
    fflush(stdout);
}

/* Blocks the signals that stop the program, so that only wait_signal sees them. */
static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    return set;
}

static int serve(const struct args *args, const struct listen *listen)
{
    sigset_t stop = block_signals();
    struct why why = {0};
    struct node *node;
    struct server *server;
    struct node_options options = {.dir = args->operands[0]};
    enum err err = node_open(&node, &options, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    struct api api = {.node = node};
    struct server_options http = {
        .address = listen->address, .port = listen->port, .routes = api_routes, .context = &api};
    err = server_start(&server, &http, &why);
    if (err != OK) {
        node_close(node);
        return fail(err, &why);
    }
    say_state(node, server);
    int signal_number;
    sigwait(&stop, &signal_number);
    server_stop(server, STOP_WAIT_MS);
    node_close(node);
    return STATUS_OK;
}

static int run(const struct args *args)
{
    const char *text = args_text(args, "listen");
    struct listen listen;
    struct why why = {0};
    enum err err = listen_parse(&listen, text ? text : DEFAULT_LISTEN, &why);
    if (err == OK) {
        err = check_loopback(&listen, &why);
    }
    return err == OK ? serve(args, &listen) : fail(err, &why);
}

static const struct arg options[] = {
    {"listen", "ADDRESS:PORT", "where to serve, " DEFAULT_LISTEN " unless said; port 0 = any", NULL,
     false, false},
    {0},
};

const struct verb verb_run = {
    .name = "run",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "serve a ledger until SIGTERM",
    .text = "Prints \"listening on http://localhost:PORT\" when it is ready. Serves the loopback\n"
            "interface only. At SIGTERM or SIGINT it commits what it took, answers, and exits.\n",
    .example = "cairn run court --listen 127.0.0.1:8420",
    .args = options,
    .run = run,
};
