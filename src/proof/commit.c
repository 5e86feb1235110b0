#include "proof/commit.h"

#include "crypto/key.h"

static struct comet_time time_read(struct cbor_reader *reader)
{
    struct comet_time time;
    time.seconds = cbor_int(reader);
    time.nanos = (uint32_t)cbor_uint_max(reader, 999999999);
    return time;
}

static void header_read(struct cbor_reader *reader, struct comet_header *out)
{
    cbor_array(reader, 15, 15);
    out->block_version = cbor_uint(reader);
    out->app_version = cbor_uint(reader);
    out->chain = cbor_text(reader, 1, COMET_CHAIN_MAX);
    out->height = cbor_uint_max(reader, INT64_MAX);
    cbor_array(reader, 2, 2);
    out->time = time_read(reader);
    out->has_last_block = !cbor_null(reader);
    if (out->has_last_block) {
        cbor_array(reader, 3, 3);
        out->last_block = cbor_hash(reader);
        out->last_parts_total = cbor_uint_max(reader, UINT32_MAX);
        out->last_parts_hash = cbor_hash(reader);
    }
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        out->hashes[i] = cbor_bytes(reader, 0, COMET_HASH_MAX);
    }
}

static void votes_read(struct cbor_reader *reader, struct commit *out, struct arena *arena)
{
    cbor_array(reader, 4, 4);
    out->round = cbor_uint_max(reader, INT32_MAX);
    out->parts_total = cbor_uint_max(reader, UINT32_MAX);
    out->parts_hash = cbor_hash(reader);
    out->vote_count = cbor_array(reader, 1, VALIDATORS_MAX);
    out->votes = arena_array(arena, out->vote_count + 1, sizeof *out->votes);
    for (size_t i = 0; i < out->vote_count; i++) {
        struct comet_vote *vote = &out->votes[i];
        vote->there = !cbor_null(reader);
        if (vote->there) {
            cbor_array(reader, 3, 3);
            vote->time = time_read(reader);
            vote->signature = cbor_bytes(reader, 64, 64);
        }
    }
}

void commit_read(struct cbor_reader *reader, struct commit *out, struct arena *arena)
{
    *out = (struct commit){0};
    cbor_array(reader, 3, 3);
    header_read(reader, &out->header);
    votes_read(reader, out, arena);
    validators_read(reader, &out->set, arena, false);
}

enum err commit_parse(struct commit *out, struct bytes in, struct arena *arena)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    commit_read(&reader, out, arena);
    return cbor_end(&reader);
}

static void time_write(struct buf *out, const struct comet_time *time)
{
    cbor_put_int(out, time->seconds);
    cbor_put_uint(out, time->nanos);
}

static void header_write_comet(struct buf *out, const struct comet_header *header)
{
    cbor_put_array(out, 15);
    cbor_put_uint(out, header->block_version);
    cbor_put_uint(out, header->app_version);
    cbor_put_text(out, header->chain);
    cbor_put_uint(out, header->height);
    cbor_put_array(out, 2);
    time_write(out, &header->time);
    if (header->has_last_block) {
        cbor_put_array(out, 3);
        cbor_put_hash(out, &header->last_block);
        cbor_put_uint(out, header->last_parts_total);
        cbor_put_hash(out, &header->last_parts_hash);
    } else {
        cbor_put_null(out);
    }
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        cbor_put_bytes(out, header->hashes[i]);
    }
}

void commit_write(struct buf *out, const struct commit *commit)
{
    cbor_put_array(out, 3);
    header_write_comet(out, &commit->header);
    cbor_put_array(out, 4);
    cbor_put_uint(out, commit->round);
    cbor_put_uint(out, commit->parts_total);
    cbor_put_hash(out, &commit->parts_hash);
    cbor_put_array(out, commit->vote_count);
    for (size_t i = 0; i < commit->vote_count; i++) {
        const struct comet_vote *vote = &commit->votes[i];
        if (vote->there) {
            cbor_put_array(out, 3);
            time_write(out, &vote->time);
            cbor_put_bytes(out, vote->signature);
        } else {
            cbor_put_null(out);
        }
    }
    validators_write(out, &commit->set);
}

uint64_t comet_time_ms(const struct comet_time *time)
{
    if (time->seconds < 0 || (uint64_t)time->seconds > UINT64_MAX / 1000 - 1) {
        return 0;
    }
    return (uint64_t)time->seconds * 1000 + time->nanos / 1000000;
}

/* Counts the power that signed; a single false signature is enough to refuse. */
static enum err power_signed(const struct commit *commit, uint64_t *signed_power, struct why *why)
{
    struct hash header_hash;
    comet_header_hash(&header_hash, &commit->header);
    *signed_power = 0;
    for (size_t i = 0; i < commit->vote_count; i++) {
        struct buf message = {0};
        if (!commit->votes[i].there) {
            continue;
        }
        comet_vote_bytes(&message, commit, &header_hash, i);
        enum err err = ed25519_verify(commit->set.at[i].key.at, buf_bytes(&message),
                                      commit->votes[i].signature);
        buf_clear(&message);
        if (err != OK) {
            return why_sayf(why, err, "validator", "has a signature that does not verify", NULL,
                            "%zu", i);
        }
        *signed_power += commit->set.at[i].power;
    }
    return OK;
}

enum err commit_check(const struct commit *commit, const struct validators *set, struct why *why)
{
    struct hash hash;
    uint64_t signed_power;
    uint64_t total = 0;
    validators_hash(&hash, set);
    if (!validators_equal(&commit->set, set) ||
        !bytes_equal(commit->header.hashes[COMET_VALIDATORS], hash_bytes(&hash))) {
        return why_say(why, ERR_MISMATCH, "validators", NULL,
                       "are not the set listed for this height", NULL);
    }
    if (commit->vote_count != set->count) {
        return why_say(why, ERR_MISMATCH, "signatures", NULL, "are not one for each validator",
                       NULL);
    }
    TRY(power_signed(commit, &signed_power, why));
    for (size_t i = 0; i < set->count; i++) {
        total += set->at[i].power;
    }
    if (signed_power <= total * 2 / 3) {
        return why_sayf(why, ERR_SIGNATURE, "voting power", "is not more than two thirds", NULL,
                        "%llu of %llu", (unsigned long long)signed_power,
                        (unsigned long long)total);
    }
    return OK;
}
