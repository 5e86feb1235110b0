/* The references: what the machine does at the very least, measured beside each subject. */
#ifndef CAIRN_CLI_BENCH_REFERENCE_H
#define CAIRN_CLI_BENCH_REFERENCE_H

#include "base/bytes.h"
#include "base/why.h"

/* Seconds of one bare libsodium Ed25519 verification of a message of `len` bytes on one core,
 * measured for about `ms` milliseconds. `cpu` (may be NULL) receives the seconds of CPU time, which
 * are the same on a quiet machine; CPU time of a server is held against these. */
double reference_verify(size_t len, unsigned ms, double *cpu);

/* Seconds of the two SHA-256 that RFC 9162 needs for a leaf: of an item of `item_len` bytes, and
 * one node. */
struct hashing {
    double in_use;   /* with the SHA-256 that the program uses */
    double portable; /* with libsodium's, which uses no special instructions */
};
struct hashing reference_hashing(size_t item_len, unsigned ms);

/* Appends 512 bytes to a file in `dir` and waits for the disk (fdatasync), `count` times with
 * `pause_ms` before each; writes the seconds of each to `out`. ERR_IO. */
must_use enum err reference_fsync(double *out, size_t count, unsigned pause_ms, const char *dir);

/* Sleeps. */
void pause_for(unsigned ms);

#endif
