#include "base/file.h"
#include "cli/network.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/verbs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCAL_NAME "local"

/* ---- N organisations on this machine, for trying out */

/* Two free ports of the loopback interface for each; all sockets stay open until every port is
 * known, so that none is found twice. */
static enum err find_ports(uint16_t *ports, size_t count, struct why *why)
{
    int sockets[2 * ASSEMBLY_MAX];
    enum err err = OK;
    size_t opened = 0;
    while (opened < count && err == OK) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
            getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
            err = why_say(why, ERR_IO, "port", NULL, "of the loopback interface can't be had",
                          "Check how many files this user may open.");
        }
        if (fd >= 0) {
            ports[opened] = ntohs(address.sin_port);
            sockets[opened++] = fd;
        }
    }
    for (size_t i = 0; i < opened; i++) {
        close(sockets[i]);
    }
    return err;
}

static enum err make_one(const char *dir, const char *ledger, size_t number, const uint16_t *ports,
                         struct buf *file, struct why *why)
{
    char name[16];
    char address[32];
    char url[40];
    snprintf(name, sizeof name, "org%zu", number + 1);
    snprintf(address, sizeof address, "127.0.0.1:%u", ports[0]);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", ports[1]);
    struct join join = {.ledger = bytes_text(ledger),
                        .organisation = bytes_text(name),
                        .address = bytes_text(address),
                        .url = bytes_text(url)};
    return network_organisation(dir, &join, NULL, file, why);
}

static enum err make_all(struct assembly *assembly, const char *dir, const char *ledger,
                         size_t count, struct buf *files, struct why *why)
{
    uint16_t ports[2 * ASSEMBLY_MAX] = {0};
    struct join_file joins[ASSEMBLY_MAX];
    TRY(find_ports(ports, 2 * count, why));
    for (size_t i = 0; i < count; i++) {
        TRY(make_one(dir, ledger, i, ports + 2 * i, &files[i], why));
        joins[i] = (struct join_file){"of this machine", buf_bytes(&files[i])};
    }
    TRY(assembly_make(assembly, joins, count, why));
    for (size_t i = 0; i < count; i++) {
        TRY(network_install(assembly, dir, i, why));
    }
    return OK;
}

/* How many nodes may be lost or lie, and how many must be there. */
static void say_quorum(size_t count)
{
    size_t needed = count * 2 / 3 + 1;
    printf("%zu of %zu nodes must be there for the ledger to go on", needed, count);
    printf(needed == count ? ": with fewer than four organisations, all of them.\n"
                           : "; %zu may be lost, cut off or lying.\n",
           count - needed);
}

static int init_local(const struct args *args, const char *number, const char *ledger)
{
    const char *dir = args->operands[0];
    struct why why = {0};
    struct assembly *assembly = mem_zalloc(sizeof *assembly);
    struct buf files[ASSEMBLY_MAX] = {{0}};
    char *end;
    unsigned long count = strtoul(number, &end, 10);
    enum err err = *number >= '1' && *number <= '9' && *end == '\0' && count <= ASSEMBLY_MAX
                       ? make_all(assembly, dir, ledger, count, files, &why)
                       : why_say(&why, ERR_RANGE, "--local", number, "is not from 1 to 16", NULL);
    if (err == OK) {
        printf("%s holds the new ledger %s of %lu organisations, each in a folder of its name.\n",
               dir, ledger, count);
        err = network_say_trust(assembly, dir, &why);
    }
    if (err == OK) {
        say_quorum(count);
        printf("Run them all with: cairn network up %s\n", dir);
    }
    assembly_clear(assembly);
    free(assembly);
    for (size_t i = 0; i < ASSEMBLY_MAX; i++) {
        buf_clear(&files[i]);
    }
    return err == OK ? STATUS_OK : fail(err, &why);
}

/* ---- one organisation's own part */

static enum err create_organisation(const struct args *args, const char *ledger, const char *org,
                                    const char *url, struct why *why)
{
    const char *equals = strchr(org, '=');
    const char *passphrase_file = args_text(args, "passphrase-file");
    char passphrase[PASSPHRASE_CAP] = "";
    struct buf file = {0};
    if (!equals) {
        return why_say(why, ERR_FORMAT, "--org", org, "is not NAME=HOST:PORT",
                       "Write it as bank=node.bank.example:26656.");
    }
    struct join join = {.ledger = bytes_text(ledger),
                        .organisation = {(const uint8_t *)org, (size_t)(equals - org)},
                        .address = bytes_text(equals + 1),
                        .url = bytes_text(url)};
    if (!organisation_ok(join.organisation) || !host_port_ok(join.address)) {
        return why_say(why, ERR_FORMAT, "--org", org, "is not NAME=HOST:PORT",
                       "NAME has 1 to 32 of a-z 0-9 and -; write it as "
                       "bank=node.bank.example:26656.");
    }
    if (!node_url_ok(join.url)) {
        return why_say(why, ERR_FORMAT, "--url", url, "is not https://HOST",
                       "Write it without a path, as https://node.bank.example.");
    }
    enum err err = passphrase_file ? passphrase_read(passphrase, passphrase_file, why) : OK;
    if (err == OK) {
        err = network_organisation(args->operands[0], &join, passphrase_file ? passphrase : NULL,
                                   &file, why);
    }
    wipe(passphrase, sizeof passphrase);
    buf_clear(&file);
    return err;
}

static int init_organisation(const struct args *args, const char *ledger, const char *org)
{
    const char *dir = args->operands[0];
    const char *url = args_text(args, "url");
    int len = (int)strcspn(org, "=");
    struct why why = {0};
    enum err err = url ? create_organisation(args, ledger, org, url, &why)
                       : why_say(&why, ERR_FORMAT, "--url", NULL, "is missing beside --org",
                                 "Give the URL at which others reach the node.");
    if (err != OK) {
        return fail(err, &why);
    }
    printf("%s/%.*s holds the keys of %.*s; keep %s/%.*s/operator.key in a safe place.\n"
           "  %s/%.*s.join   give it to the other organisations\n"
           "When you have theirs: cairn network assemble %s %s/%.*s.join THEIR.join ...\n",
           dir, len, org, len, org, dir, len, org, dir, len, org, dir, dir, len, org);
    return STATUS_OK;
}

static int run(const struct args *args)
{
    const char *local = args_text(args, "local");
    const char *org = args_text(args, "org");
    const char *ledger = args_text(args, "ledger-name");
    struct why why = {0};
    if ((local != NULL) == (org != NULL)) {
        return fail(why_say(&why, ERR_FORMAT, "--local", NULL, "or --org is needed, not both",
                            "--local makes all organisations on this machine, --org makes one."),
                    &why);
    }
    if (local) {
        return init_local(args, local, ledger ? ledger : LOCAL_NAME);
    }
    if (!ledger) {
        return fail(why_say(&why, ERR_FORMAT, "--ledger-name", NULL, "is missing beside --org",
                            "All organisations give the same."),
                    &why);
    }
    return init_organisation(args, ledger, org);
}

static const struct arg options[] = {
    {"local", "N", "make N organisations, 1 to 16, on this machine, to try it out", NULL, false,
     false},
    {"org", "NAME=HOST:PORT", "make one organisation, and where its engine is reached", NULL, false,
     false},
    {"url", "URL", "with --org, where its node is reached", NULL, false, false},
    {"ledger-name", "NAME", "the ledger's name, as for init; with --local it is local if left out",
     NULL, false, false},
    ARG_PASSPHRASE,
    {0},
};

const struct verb verb_network_init = {
    .name = "network init",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make the keys of organisations that will run one ledger",
    .text =
        "With --org it makes the folder DIR/NAME with all keys of one organisation and the file\n"
        "DIR/NAME.join, which it signs and gives to the others; 'cairn network assemble' makes\n"
        "the ledger of all their files. With --passphrase-file the operator's key is encrypted.\n"
        "With --local it does all that for N organisations org1, org2, ... on free ports of\n"
        "this machine's loopback interface; 'cairn network up' runs them.\n",
    .example = "cairn network init try --local 4\n"
               "cairn network init consortium --ledger-name court --org "
               "bank=node.bank.example:26656 --url https://node.bank.example",
    .args = options,
    .run = run,
};
