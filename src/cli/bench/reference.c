#include "cli/bench/reference.h"

#include "base/clock.h"
#include "base/file.h"
#include "merkle/tree.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUND_VERIFY  64
#define ROUND_HASHING 2048
#define MESSAGE_MAX   4096
#define FSYNC_LEN     512

static double seconds_since(uint64_t began_ns)
{
    return (double)(clock_mono_ns() - began_ns) / 1e9;
}

double reference_verify(size_t len, unsigned ms, double *cpu)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    uint8_t message[MESSAGE_MAX] = {0};
    BUG_ON(len > sizeof message || sodium_init() < 0);
    crypto_sign_seed_keypair(public, secret, seed);
    crypto_sign_detached(signature, NULL, message, len, secret);
    uint64_t began = clock_mono_ns();
    uint64_t began_cpu = clock_cpu_ns();
    uint64_t end = began + (uint64_t)ms * 1000000u;
    uint64_t count = 0;
    while (clock_mono_ns() < end) {
        for (int i = 0; i < ROUND_VERIFY; i++) {
            BUG_ON(crypto_sign_verify_detached(signature, message, len, public) != 0);
        }
        count += ROUND_VERIFY;
    }
    if (cpu) {
        *cpu = (double)(clock_cpu_ns() - began_cpu) / 1e9 / (double)count;
    }
    return seconds_since(began) / (double)count;
}

/* One leaf and one node; `data` is prefix and item, or prefix and two hashes. */
typedef void two_hashes_fn(struct hash *out, struct bytes item);

static void hashes_in_use(struct hash *out, struct bytes item)
{
    leaf_hash(out, item);
    node_hash(out, out, out);
}

static void hashes_portable(struct hash *out, struct bytes item)
{
    uint8_t input[MESSAGE_MAX] = {0};
    memcpy(input + 1, item.at, item.len);
    crypto_hash_sha256(out->at, input, 1 + item.len);
    input[0] = 1;
    memcpy(input + 1, out->at, sizeof out->at);
    memcpy(input + 1 + sizeof out->at, out->at, sizeof out->at);
    crypto_hash_sha256(out->at, input, 1 + 2 * sizeof out->at);
}

static double time_hashes(two_hashes_fn *hashes, size_t item_len, unsigned ms)
{
    uint8_t item[256] = {0};
    BUG_ON(item_len > sizeof item || item_len < sizeof(struct hash));
    struct hash hash = {{0}};
    uint64_t began = clock_mono_ns();
    uint64_t end = began + (uint64_t)ms * 1000000u;
    uint64_t count = 0;
    while (clock_mono_ns() < end) {
        for (int i = 0; i < ROUND_HASHING; i++) {
            memcpy(item, hash.at, sizeof hash.at); /* each depends on the one before */
            hashes(&hash, (struct bytes){item, item_len});
        }
        count += ROUND_HASHING;
    }
    return seconds_since(began) / (double)count;
}

struct hashing reference_hashing(size_t item_len, unsigned ms)
{
    BUG_ON(sodium_init() < 0);
    return (struct hashing){
        .in_use = time_hashes(hashes_in_use, item_len, ms / 2),
        .portable = time_hashes(hashes_portable, item_len, ms / 2),
    };
}

void pause_for(unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

enum err reference_fsync(double *out, size_t count, unsigned pause_ms, const char *dir)
{
    char *path = path_join(dir, "fsync.probe");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint8_t block[FSYNC_LEN] = {0};
    enum err err = fd < 0 ? ERR_IO : OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        pause_for(pause_ms);
        uint64_t began = clock_mono_ns();
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0) {
            err = ERR_IO;
        }
        out[i] = seconds_since(began);
    }
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    free(path);
    return err;
}
