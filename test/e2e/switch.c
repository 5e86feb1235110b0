/* usage: switch COUNT
 *
 * A network of COUNT hosts on one machine, for tests of faults: real packets, whose way this
 * program decides. Every host is a network namespace with one TUN device; the packets of all
 * devices end here. From each host to each other one goes a link of its own, which can be cut, slow
 * or lossy in this direction alone. It needs no qdisc and no packet filter of the kernel, and no
 * right but that over the namespaces, which root has and an ordinary user has in a user namespace
 * of its own. With this process everything is gone.
 *
 * Host i (from 0) has the address 127.0.77.(i+1). That is a loopback address, routed all the same,
 * so that a node behaves on it as it does on one machine without TLS.
 *
 * Standard output: first a line "ready FD FD ...", the descriptors that hold the namespaces
 * (/proc/PID/fd/FD); then "ok" for each command carried out. Standard input, a command a line:
 *   link FROM TO DELAY_US LOSS CUT   LOSS: packets in a million; CUT: 1 loses all
 *   stats                            "stats PASSED LOST" instead of "ok"
 *   seed N                           of the losses
 * The end of standard input ends the program. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HOSTS_MAX   16
#define PACKET_MAX  1500
#define QUEUE_MAX   8192        /* packets under way on one link; more are lost */
#define NETWORK     0x7f004d00u /* 127.0.77.0 */
#define DEVICE      "cairn0"
#define LINE_MAX    200
#define IPV4_LEN    20
#define BURST       64
#define MILLION     1000000u
#define NS_PER_US   1000u
#define NS_PER_S    1000000000u
#define SYSCTL_NAME "/proc/sys/net/ipv4/conf/" DEVICE "/route_localnet"

/* Stops the program unless the condition holds. */
#define MUST(condition)                                                                     \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "switch: %s does not hold: %s\n", #condition, strerror(errno)); \
            exit(1);                                                                        \
        }                                                                                   \
    } while (0)

struct packet {
    uint64_t due_ns;
    size_t len;
    uint8_t at[PACKET_MAX];
};

/* One direction between two hosts: a ring of packets under way, in order. */
struct link {
    uint64_t delay_ns;
    uint32_t loss; /* in a million */
    bool cut;
    struct packet *ring;
    size_t first;
    size_t count;
};

static size_t host_count;
static int host_tun[HOSTS_MAX];
static int host_namespace[HOSTS_MAX];
static struct link links[HOSTS_MAX][HOSTS_MAX];
static uint64_t random_state = 1;
static uint64_t passed;
static uint64_t lost;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* splitmix64. */
static uint64_t any(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- hosts */

static struct ifreq named(const char *name)
{
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return request;
}

static void set_address(int fd, const char *name, unsigned long what, uint32_t address)
{
    struct ifreq request = named(name);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    memcpy(&request.ifr_addr, &in, sizeof in);
    MUST(ioctl(fd, what, &request) == 0);
}

static void set_up(int fd, const char *name)
{
    struct ifreq request = named(name);
    MUST(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    MUST(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
}

static int open_tun(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct ifreq request = named(DEVICE);
    MUST(fd >= 0);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    MUST(ioctl(fd, TUNSETIFF, &request) == 0);
    return fd;
}

static void route_loopback(void)
{
    int fd = open(SYSCTL_NAME, O_WRONLY | O_CLOEXEC);
    MUST(fd >= 0 && write(fd, "1", 1) == 1);
    close(fd);
}

/* The rest of 127/8 would stay on the machine: lo keeps its first address alone. */
static void make_host(size_t number)
{
    MUST(unshare(CLONE_NEWNET) == 0);
    host_namespace[number] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    host_tun[number] = open_tun();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MUST(host_namespace[number] >= 0 && fd >= 0);
    set_address(fd, "lo", SIOCSIFADDR, INADDR_LOOPBACK);
    set_address(fd, "lo", SIOCSIFNETMASK, UINT32_MAX);
    set_up(fd, "lo");
    set_address(fd, DEVICE, SIOCSIFADDR, NETWORK + (uint32_t)number + 1);
    set_address(fd, DEVICE, SIOCSIFNETMASK, 0xffffff00u);
    set_up(fd, DEVICE);
    close(fd);
    route_loopback();
}

static void make_hosts(void)
{
    printf("ready");
    for (size_t i = 0; i < host_count; i++) {
        make_host(i);
        printf(" %d", host_namespace[i]);
        for (size_t j = 0; j < host_count; j++) {
            links[i][j].ring = calloc(QUEUE_MAX, sizeof *links[i][j].ring);
            MUST(links[i][j].ring);
        }
    }
    puts("");
    fflush(stdout);
}

/* ---- packets */

/* The host that a packet is for; host_count if it is none of ours. */
static size_t destination(const uint8_t *packet, size_t len)
{
    uint32_t address;
    if (len < IPV4_LEN || packet[0] >> 4 != 4) {
        return host_count;
    }
    memcpy(&address, packet + 16, sizeof address);
    uint32_t number = ntohl(address) - NETWORK - 1;
    return number < host_count ? number : host_count;
}

static void deliver(size_t to, const uint8_t *at, size_t len)
{
    /* A full device loses a packet, as a network may. */
    if (write(host_tun[to], at, len) == (ssize_t)len) {
        passed++;
    } else {
        lost++;
    }
}

static void forward(size_t from, size_t to, const uint8_t *at, size_t len)
{
    struct link *link = &links[from][to];
    if (link->cut || link->count == QUEUE_MAX || (link->loss && any() % MILLION < link->loss)) {
        lost++;
        return;
    }
    if (link->delay_ns == 0 && link->count == 0) {
        deliver(to, at, len);
        return;
    }
    struct packet *packet = &link->ring[(link->first + link->count++) % QUEUE_MAX];
    packet->due_ns = now_ns() + link->delay_ns;
    packet->len = len;
    memcpy(packet->at, at, len);
}

static void take(size_t from)
{
    uint8_t packet[PACKET_MAX];
    for (int i = 0; i < BURST; i++) {
        ssize_t len = read(host_tun[from], packet, sizeof packet);
        if (len <= 0) {
            return;
        }
        size_t to = destination(packet, (size_t)len);
        if (to < host_count && to != from) {
            forward(from, to, packet, (size_t)len);
        }
    }
}

/* Delivers what is due; lowers *next_ns to the next moment. */
static void run_link(struct link *link, size_t to, uint64_t moment, uint64_t *next_ns)
{
    while (link->count > 0 && link->ring[link->first].due_ns <= moment) {
        const struct packet *packet = &link->ring[link->first];
        deliver(to, packet->at, packet->len);
        link->first = (link->first + 1) % QUEUE_MAX;
        link->count--;
    }
    if (link->count > 0 && link->ring[link->first].due_ns < *next_ns) {
        *next_ns = link->ring[link->first].due_ns;
    }
}

static uint64_t run_links(void)
{
    uint64_t next_ns = UINT64_MAX;
    uint64_t moment = now_ns();
    for (size_t i = 0; i < host_count; i++) {
        for (size_t j = 0; j < host_count; j++) {
            run_link(&links[i][j], j, moment, &next_ns);
        }
    }
    return next_ns;
}

/* ---- commands */

static void set_link(const char *line)
{
    size_t from, to;
    uint64_t delay_us;
    uint32_t loss;
    unsigned cut;
    MUST(sscanf(line, "link %zu %zu %" SCNu64 " %" SCNu32 " %u", &from, &to, &delay_us, &loss,
                &cut) == 5);
    MUST(from < host_count && to < host_count);
    struct link *link = &links[from][to];
    link->delay_ns = delay_us * NS_PER_US;
    link->loss = loss;
    link->cut = cut != 0;
    if (link->cut) {
        lost += link->count;
        link->count = 0;
    }
    puts("ok");
}

static void obey(const char *line)
{
    if (strncmp(line, "link ", 5) == 0) {
        set_link(line);
    } else if (strcmp(line, "stats") == 0) {
        printf("stats %" PRIu64 " %" PRIu64 "\n", passed, lost);
    } else {
        MUST(sscanf(line, "seed %" SCNu64, &random_state) == 1);
        puts("ok");
    }
    fflush(stdout);
}

/* Carries out every whole line; false at the end of the input. */
static bool read_commands(void)
{
    static char line[LINE_MAX];
    static size_t len;
    ssize_t got = read(STDIN_FILENO, line + len, sizeof line - 1 - len);
    if (got <= 0) {
        return false;
    }
    len += (size_t)got;
    char *end;
    while ((end = memchr(line, '\n', len))) {
        *end = 0;
        obey(line);
        len -= (size_t)(end + 1 - line);
        memmove(line, end + 1, len);
    }
    MUST(len < sizeof line - 1);
    return true;
}

static void wait_for_work(struct pollfd *fds, uint64_t next_ns)
{
    struct timespec wait = {0};
    uint64_t moment = now_ns();
    if (next_ns > moment) {
        uint64_t ns = next_ns - moment;
        wait = (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    }
    MUST(ppoll(fds, host_count + 1, next_ns == UINT64_MAX ? NULL : &wait, NULL) >= 0 ||
         errno == EINTR);
}

int main(int argc, char **argv)
{
    struct pollfd fds[HOSTS_MAX + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    host_count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (host_count < 1 || host_count > HOSTS_MAX) {
        fputs("usage: switch COUNT\n", stderr);
        return 2;
    }
    make_hosts();
    for (size_t i = 0; i < host_count; i++) {
        fds[i + 1] = (struct pollfd){.fd = host_tun[i], .events = POLLIN};
    }
    for (;;) {
        wait_for_work(fds, run_links());
        if (fds[0].revents && !read_commands()) {
            return 0;
        }
        for (size_t i = 0; i < host_count; i++) {
            if (fds[i + 1].revents) {
                take(i);
            }
        }
    }
}
