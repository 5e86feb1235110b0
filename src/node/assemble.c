#include "node/assemble.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "ledger/regime.h"
#include "node/internal.h"
#include "proof/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const key_files[JOIN_KEYS] = {
    [JOIN_OPERATOR] = NODE_OPERATOR_KEY,     [JOIN_RECEIPT] = NODE_RECEIPT_KEY,
    [JOIN_CHECKPOINT] = NODE_CHECKPOINT_KEY, [JOIN_CONSENSUS] = NODE_CONSENSUS_KEY,
    [JOIN_TRANSPORT] = NODE_TRANSPORT_KEY,   [JOIN_AUDIT] = NODE_AUDIT_KEY,
};

/* ---- one organisation */

static enum err make_keys(struct signer *signers[JOIN_KEYS], const char *dir,
                          const char *passphrase, struct why *why)
{
    char *keys = path_join(dir, "keys");
    enum err err = dir_make(keys, 0700, why);
    free(keys);
    for (size_t i = 0; i < JOIN_KEYS && err == OK; i++) {
        err = node_make_key(&signers[i], dir, key_files[i], i == JOIN_OPERATOR ? passphrase : NULL,
                            why);
    }
    return err;
}

/* What was signed must be readable: names and addresses are checked in one place. */
static enum err sign_checked(struct buf *out, const struct join *join,
                             const struct signer *const signers[JOIN_KEYS], struct why *why)
{
    uint8_t random[32];
    struct join whole = *join;
    struct join again;
    random_bytes(random, sizeof random);
    whole.random32 = BYTES_OF(random);
    whole.time_ms = clock_wall_ms();
    enum err err = join_sign(out, &whole, signers);
    return err == OK ? join_parse(&again, buf_bytes(out), why)
                     : why_say(why, err, "join file", NULL, "can't be signed", NULL);
}

enum err organisation_create(const char *dir, const struct join *join, const char *passphrase,
                             struct buf *join_file, struct why *why)
{
    char name[LEDGER_NAME_MAX + 1];
    struct signer *signers[JOIN_KEYS] = {NULL};
    snprintf(name, sizeof name, "%.*s", (int)join->ledger.len, (const char *)join->ledger.at);
    TRY(node_check_ledger_name(name, why));
    if (mkdir(dir, 0700) != 0) {
        return why_say(why, file_exists(dir) ? ERR_EXISTS : ERR_IO, "folder", dir,
                       file_exists(dir) ? "is there already" : "can't be made",
                       "Choose a folder that is not there yet.");
    }
    enum err err = make_keys(signers, dir, passphrase, why);
    if (err == OK) {
        err = sign_checked(join_file, join, (const struct signer *const *)signers, why);
    }
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        signer_free(signers[i]);
    }
    if (err != OK) {
        node_remove_folder(dir);
    }
    return err;
}

/* ---- all of them */

static int by_organisation(const void *a, const void *b)
{
    const struct join *joins[] = {a, b};
    struct bytes names[] = {joins[0]->organisation, joins[1]->organisation};
    size_t shared = names[0].len < names[1].len ? names[0].len : names[1].len;
    int order = memcmp(names[0].at, names[1].at, shared);
    return order != 0 ? order : (names[0].len > names[1].len) - (names[0].len < names[1].len);
}

/* Says which file is wrong, and what join_parse found in it. */
static enum err bad_file(struct why *why, enum err err, const struct join_file *file,
                         const struct why *found)
{
    struct buf problem = {0};
    const char *const words[] = {
        "is refused: ", found->field, found->value[0] ? " " : "",
        found->value,   " ",          found->problem[0] ? found->problem : err_text(err)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        buf_put(&problem, bytes_text(words[i]));
    }
    buf_put_byte(&problem, 0);
    why_say(why, err, "join file", file->name, (const char *)problem.at,
            "Ask that organisation for its join file again.");
    buf_clear(&problem);
    return err;
}

static enum err clash(struct why *why, const struct join_file *a, const struct join_file *b,
                      const char *what)
{
    char problem[sizeof why->problem];
    snprintf(problem, sizeof problem, "has the %s of %.100s", what, b->name);
    return why_say(why, ERR_EXISTS, "join file", a->name, problem,
                   "Every organisation has its own; leave one of the two out.");
}

static bool shares_key(const struct join *a, const struct join *b)
{
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        for (size_t j = 0; j < JOIN_KEYS; j++) {
            if (bytes_equal(a->keys[i].spki, b->keys[j].spki)) {
                return true;
            }
        }
    }
    return false;
}

static enum err compare_files(const struct join_file *files, const struct join *joins, size_t i,
                              size_t j, struct why *why)
{
    const struct join *a = &joins[i];
    const struct join *b = &joins[j];
    if (!bytes_equal(a->ledger, b->ledger)) {
        char problem[sizeof why->problem];
        snprintf(problem, sizeof problem, "is for the ledger %.*s, and %.40s for %.*s",
                 (int)a->ledger.len, (const char *)a->ledger.at, files[j].name, (int)b->ledger.len,
                 (const char *)b->ledger.at);
        return why_say(why, ERR_MISMATCH, "join file", files[i].name, problem,
                       "All join files must be for one ledger.");
    }
    if (bytes_equal(a->organisation, b->organisation)) {
        return clash(why, &files[i], &files[j], "organisation");
    }
    if (bytes_equal(a->address, b->address)) {
        return clash(why, &files[i], &files[j], "address");
    }
    if (bytes_equal(a->url, b->url)) {
        return clash(why, &files[i], &files[j], "URL");
    }
    return shares_key(a, b) ? clash(why, &files[i], &files[j], "key") : OK;
}

static enum err read_files(struct assembly *out, const struct join_file *files, size_t count,
                           struct why *why)
{
    if (count == 0 || count > ASSEMBLY_MAX) {
        return why_sayf(why, ERR_RANGE, "join files", "are too few or too many",
                        "A ledger begins with 1 to 16 organisations.", "%zu", count);
    }
    for (size_t i = 0; i < count; i++) {
        struct why found = {0};
        enum err err = join_parse(&out->joins[i], files[i].bytes, &found);
        if (err != OK) {
            return bad_file(why, err, &files[i], &found);
        }
        for (size_t j = 0; j < i; j++) {
            TRY(compare_files(files, out->joins, i, j, why));
        }
    }
    qsort(out->joins, count, sizeof *out->joins, by_organisation);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            /* A join borrows from its file. */
            const uint8_t *at = out->joins[i].organisation.at;
            if (at >= files[j].bytes.at && at < files[j].bytes.at + files[j].bytes.len) {
                out->files[i] = files[j];
            }
        }
    }
    out->count = count;
    return OK;
}

/* What the texts of a genesis document borrow from. */
struct member_ids {
    char node[MEMBER_ID_MAX + 1];
    char audit[MEMBER_ID_MAX + 1];
};

static struct genesis_key genesis_key(const struct join *join, enum join_key which)
{
    return (struct genesis_key){join->keys[which].spki, join->keys[which].alg,
                                join_key_purpose(which)};
}

static void put_members(struct genesis *genesis, const struct join *join, struct member_ids *ids)
{
    struct genesis_member *at = &genesis->members[genesis->member_count];
    snprintf(ids->node, sizeof ids->node, "%.*s" NODE_MEMBER_SUFFIX, (int)join->organisation.len,
             (const char *)join->organisation.at);
    snprintf(ids->audit, sizeof ids->audit, "%.*s" NODE_AUDIT_SUFFIX, (int)join->organisation.len,
             (const char *)join->organisation.at);
    at[0] = (struct genesis_member){
        .id = join->organisation,
        .kind = MEMBER_INSTITUTION,
        .role_count = 1,
        .roles = {bytes_text("operator")},
        .key_count = 1,
        .keys = {genesis_key(join, JOIN_OPERATOR)},
    };
    at[1] = (struct genesis_member){
        .id = bytes_text(ids->node),
        .kind = MEMBER_NODE,
        .institution = join->organisation,
        .role_count = 1,
        .roles = {bytes_text("node")},
        .key_count = 4,
        .keys = {genesis_key(join, JOIN_RECEIPT), genesis_key(join, JOIN_CHECKPOINT),
                 genesis_key(join, JOIN_CONSENSUS), genesis_key(join, JOIN_TRANSPORT)},
    };
    at[2] = (struct genesis_member){
        .id = bytes_text(ids->audit),
        .kind = MEMBER_APPLICATION,
        .institution = join->organisation,
        .role_count = 1,
        .roles = {bytes_text("application")},
        .key_count = 1,
        .keys = {genesis_key(join, JOIN_AUDIT)},
    };
    genesis->member_count += 3;
}

/* Everybody's random bytes are in it, so nobody chose the chain id alone. */
static void hash_files(uint8_t out32[32], const struct assembly *assembly)
{
    struct buf all = {0};
    struct hash hash;
    for (size_t i = 0; i < assembly->count; i++) {
        buf_put(&all, assembly->files[i].bytes);
    }
    sha256(&hash, buf_bytes(&all));
    memcpy(out32, hash.at, sizeof hash.at);
    buf_clear(&all);
}

static enum err write_genesis(struct assembly *assembly, struct why *why)
{
    struct member_ids ids[ASSEMBLY_MAX];
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    struct genesis *again = mem_zalloc(sizeof *again);
    hash_files(genesis->random32, assembly);
    genesis->name = bytes_text(assembly->name);
    genesis->suite = SUITE_1;
    for (size_t i = 0; i < assembly->count; i++) {
        put_members(genesis, &assembly->joins[i], &ids[i]);
    }
    genesis_write(&assembly->genesis, genesis);
    enum err err = genesis_parse(again, buf_bytes(&assembly->genesis), why);
    free(genesis);
    free(again);
    return err;
}

enum err assembly_make(struct assembly *out, const struct join_file *files, size_t count,
                       struct why *why)
{
    *out = (struct assembly){0};
    TRY(read_files(out, files, count, why));
    struct bytes name = out->joins[0].ledger;
    snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, (const char *)name.at);
    TRY(node_check_ledger_name(out->name, why));
    for (size_t i = 0; i < out->count; i++) {
        if (out->joins[i].time_ms > out->time_ms) {
            out->time_ms = out->joins[i].time_ms;
        }
    }
    return write_genesis(out, why);
}

void assembly_clear(struct assembly *assembly)
{
    buf_clear(&assembly->genesis);
}

/* ---- making it */

/* Whether the key in a file of DIR is the listed one. */
static enum err key_is(const char *dir, const struct join *join, enum join_key which, bool *same,
                       struct why *why)
{
    struct signer *signer = NULL;
    char *path = path_join(dir, key_files[which]);
    enum err err = signer_open(&signer, path, NULL, NULL, why);
    free(path);
    *same = err == OK && bytes_equal(pubkey_spki(signer_pubkey(signer)), join->keys[which].spki);
    signer_free(signer);
    return err;
}

enum err assembly_find(const struct assembly *assembly, const char *dir, size_t *number,
                       struct why *why)
{
    bool same = false;
    size_t i = 0;
    while (i < assembly->count && !same) {
        TRY(key_is(dir, &assembly->joins[i++], JOIN_CONSENSUS, &same, why));
    }
    if (!same) {
        return why_say(why, ERR_NOT_FOUND, "folder", dir,
                       "holds the keys of none of these join files",
                       "Give the join file that was made with this folder, too.");
    }
    *number = i - 1;
    for (size_t key = JOIN_OPERATOR + 1; key < JOIN_KEYS; key++) {
        TRY(key_is(dir, &assembly->joins[*number], (enum join_key)key, &same, why));
        if (!same) {
            return why_sayf(why, ERR_KEY, "key file", "is not the one of the join file",
                            "Put the key file that was made with the join file back.", "%s/%s", dir,
                            key_files[key]);
        }
    }
    return OK;
}

static void make_trust(struct buf *out, const struct assembly *assembly,
                       const struct node_made *made)
{
    struct buf chain = {0};
    struct receipt_key keys[ASSEMBLY_MAX] = {{{0}}};
    struct validator validators[ASSEMBLY_MAX];
    struct member_ids ids[ASSEMBLY_MAX];
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    struct regime *regime = mem_alloc(sizeof *regime);
    for (size_t i = 0; i < assembly->count; i++) {
        put_members(genesis, &assembly->joins[i], &ids[i]);
        keys[i] = (struct receipt_key){.spki = assembly->joins[i].keys[JOIN_RECEIPT].spki,
                                       .node = bytes_text(ids[i].node)};
    }
    bool is_consortium = regime_of_genesis(regime, genesis, &made->header.chain, &chain);
    BUG_ON(!is_consortium || regime->count != assembly->count);
    for (size_t i = 0; i < regime->count; i++) {
        validators[i] = (struct validator){regime->validators[i].key, regime->validators[i].power};
    }
    struct comet_range range = {.from = 1, .set = {assembly->count, validators}};
    struct trust_regime trusted = {.comet = true,
                                   .comet_chain = regime->chain,
                                   .range_count = 1,
                                   .ranges = &range,
                                   .key_count = assembly->count,
                                   .keys = keys};
    node_first_trust(out, assembly->name, made, &trusted);
    free(regime);
    free(genesis);
    buf_clear(&chain);
}

/* Moves what was made in `from` into `to`; the head mark last, without which nothing opens. */
static enum err move_all(const char *from, const char *to, const char *trust, struct why *why)
{
    const char *const names[] = {"db", trust, "head"};
    enum err err = OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && err == OK; i++) {
        char *old = path_join(from, names[i]);
        char *new = path_join(to, names[i]);
        if (rename(old, new) != 0) {
            err = why_say(why, ERR_IO, "file", new, "could not be given its place",
                          "Check the permissions of the folder.");
        }
        free(old);
        free(new);
    }
    return err == OK ? dir_sync(to) : err;
}

static enum err make_in(const struct assembly *assembly, const char *scratch, struct why *why)
{
    struct node_made made;
    struct buf bytes = {0};
    TRY(node_make_ledger(&made, scratch, buf_bytes(&assembly->genesis), assembly->time_ms, why));
    make_trust(&bytes, assembly, &made);
    enum err err = node_make_trust(scratch, assembly->name, buf_bytes(&bytes), why);
    buf_clear(&bytes);
    return err;
}

enum err assembly_install(const struct assembly *assembly, const char *dir, struct why *why)
{
    size_t number;
    char trust[LEDGER_NAME_MAX + sizeof ".trust"];
    TRY(assembly_find(assembly, dir, &number, why));
    char *db = path_join(dir, "db");
    bool taken = file_exists(db);
    free(db);
    if (taken) {
        return why_say(why, ERR_EXISTS, "folder", dir, "holds a ledger already",
                       "A ledger is never made over another; move DIR/db away if that is wanted.");
    }
    char *scratch = path_join(dir, "new.XXXXXX");
    enum err err = OK;
    if (!mkdtemp(scratch)) {
        err = why_say(why, ERR_IO, "folder", dir, "can't be written", NULL);
    } else {
        snprintf(trust, sizeof trust, "%s.trust", assembly->name);
        err = make_in(assembly, scratch, why);
        err = err == OK ? move_all(scratch, dir, trust, why) : err;
        node_remove_folder(scratch);
    }
    free(scratch);
    return err;
}
