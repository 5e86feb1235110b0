#include "http/server_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

struct address_of {
    struct sockaddr_storage storage;
    socklen_t len;
};

static bool parse_address(struct address_of *out, const char *address, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->storage;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->len = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        out->len = sizeof *v6;
        return true;
    }
    return false;
}

/* A socket at the address; `shared` ones may be many. */
static int bind_one(const struct address_of *address, bool shared)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0) {
        return -1;
    }
    bool bad = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
               (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
               (address->storage.ss_family == AF_INET6 &&
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
               bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0;
    if (bad) {
        close(fd);
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {0};
    socklen_t len = sizeof name;
    if (getsockname(fd, &name.any, &len) != 0) {
        return 0;
    }
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

static bool open_all(int *fds, unsigned count, const char *text, uint16_t *port)
{
    struct address_of address;
    unsigned opened = 0;
    for (; opened < count; opened++) {
        bool known = parse_address(&address, text, *port);
        fds[opened] = known ? bind_one(&address, count > 1) : -1;
        if (fds[opened] < 0 || listen(fds[opened], BACKLOG) != 0) {
            opened += fds[opened] >= 0;
            break;
        }
        *port = port_of(fds[opened]);
    }
    for (unsigned i = 0; opened < count && i < opened; i++) {
        close(fds[i]);
    }
    return opened == count;
}

/* Whether nobody listens there: sockets that share a port would share it with another program of
 * the same user as well. */
static bool is_free(const char *text, uint16_t port)
{
    struct address_of address;
    bool known = parse_address(&address, text, port);
    int fd = known ? bind_one(&address, false) : -1;
    bool is = fd >= 0 && listen(fd, 1) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is;
}

enum err listen_open(int *fds, unsigned count, const char *address, uint16_t *port, struct why *why)
{
    struct address_of parsed;
    if (!parse_address(&parsed, address, *port)) {
        return why_say(why, ERR_FORMAT, "listen", address, "is not a numeric address",
                       "Write it as 127.0.0.1:8420.");
    }
    bool alone = count == 1 || *port == 0 || is_free(address, *port);
    if (!alone || !open_all(fds, count, address, port)) {
        return why_sayf(why, ERR_IO, "listen", "can't be bound",
                        "Stop what listens there, or choose another port (0 = any).", "%s:%u",
                        address, *port);
    }
    return OK;
}
