/* A new ledger is made in a folder beside its place and moved there whole, so that an error leaves
 * nothing behind. */
#include "base/clock.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "ledger/ledger.h"
#include "modules/modules.h"
#include "node/internal.h"
#include "proof/trust.h"
#include "store/store.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_CACHE_LEN ((size_t)8 << 20)

/* What the pieces of a new ledger share. */
struct creation {
    const struct node_new *wanted;
    const char *name;
    char *dir; /* where it is made */
    const struct signer *operator_key;
    const struct signer *receipt_key;
    const struct signer *checkpoint_key;
    const struct signer *audit_key;
    struct signer *made[4]; /* those of the four that were made here */
    size_t made_count;
    struct buf genesis;
    struct node_made ledger;
};

enum err node_check_ledger_name(const char *name, struct why *why)
{
    size_t len = strlen(name);
    bool good = len >= 1 && len <= LEDGER_NAME_MAX && name[0] != '.' && name[0] != '-' &&
                strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
    return good ? OK
                : why_say(why, ERR_FORMAT, "name", name, "is not a ledger's name",
                          "Use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit.");
}

/* The place must be free: nothing there, or an empty folder. */
static enum err check_place(const char *dir, struct why *why)
{
    DIR *open = opendir(dir);
    if (!open) {
        return file_exists(dir) ? why_say(why, ERR_EXISTS, "folder", dir, "is not a folder",
                                          "Choose another place.")
                                : OK;
    }
    unsigned count = 0;
    while (readdir(open) && count <= 2) { /* "." and ".." */
        count++;
    }
    closedir(open);
    return count <= 2 ? OK
                      : why_say(why, ERR_EXISTS, "folder", dir, "is not empty",
                                "Choose a new folder; a ledger is never made over another.");
}

enum err node_make_key(struct signer **out, const char *dir, const char *file,
                       const char *passphrase, struct why *why)
{
    struct buf pem = {0};
    char *path = path_join(dir, file);
    enum err err = key_generate(&pem, ALG_ED25519, passphrase);
    if (err == OK) {
        err = file_create(path, buf_bytes(&pem), 0600, why);
    }
    if (err == OK) {
        err = signer_parse(out, buf_bytes(&pem), passphrase);
    }
    if (pem.len > 0) {
        wipe(pem.at, pem.len);
    }
    buf_clear(&pem);
    free(path);
    return err;
}

/* The given key, or a new one in a file. */
static enum err use_key(struct creation *creation, const struct signer **out,
                        const struct signer *given, const char *file, struct why *why)
{
    *out = given;
    if (given) {
        return OK;
    }
    bool is_operator = out == &creation->operator_key;
    struct signer **made = &creation->made[creation->made_count++];
    enum err err = node_make_key(made, creation->dir, file,
                                 is_operator ? creation->wanted->passphrase : NULL, why);
    *out = *made;
    return err;
}

/* A checkpoint is a signed note, and notes have Ed25519 signatures (protocol.md 6). One key for two
 * purposes could not be ended for one of them. */
static enum err check_keys(const struct creation *creation, struct why *why)
{
    if (signer_alg(creation->checkpoint_key) != ALG_ED25519) {
        return why_say(why, ERR_UNSUPPORTED, "checkpoint key",
                       alg_name(signer_alg(creation->checkpoint_key)), "is not for checkpoints",
                       "Give an Ed25519 key.");
    }
    const struct hash *kids[] = {pubkey_kid(signer_pubkey(creation->operator_key)),
                                 pubkey_kid(signer_pubkey(creation->receipt_key)),
                                 pubkey_kid(signer_pubkey(creation->checkpoint_key))};
    if (hash_equal(kids[0], kids[1]) || hash_equal(kids[0], kids[2]) ||
        hash_equal(kids[1], kids[2])) {
        return why_say(why, ERR_REFUSED, "keys", NULL, "of operator and node are not three keys",
                       "Give another key for each purpose.");
    }
    return OK;
}

static enum err make_keys(struct creation *creation, struct why *why)
{
    const struct node_new *wanted = creation->wanted;
    char *keys = path_join(creation->dir, "keys");
    enum err err = dir_make(keys, 0700, why);
    free(keys);
    TRY(err);
    TRY(use_key(creation, &creation->operator_key, wanted->operator_key, NODE_OPERATOR_KEY, why));
    TRY(use_key(creation, &creation->receipt_key, wanted->receipt_key, NODE_RECEIPT_KEY, why));
    TRY(use_key(creation, &creation->checkpoint_key, wanted->checkpoint_key, NODE_CHECKPOINT_KEY,
                why));
    TRY(use_key(creation, &creation->audit_key, NULL, NODE_AUDIT_KEY, why));
    return check_keys(creation, why);
}

static struct genesis_key genesis_key(const struct signer *signer, enum purpose purpose)
{
    return (struct genesis_key){pubkey_spki(signer_pubkey(signer)), signer_alg(signer), purpose};
}

static void make_genesis(struct creation *creation)
{
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    random_bytes(genesis->random32, sizeof genesis->random32);
    genesis->name = bytes_text(creation->name);
    genesis->suite = SUITE_1;
    genesis->member_count = 3;
    genesis->members[0] = (struct genesis_member){
        .id = bytes_text(NODE_OPERATOR_ID),
        .kind = MEMBER_INSTITUTION,
        .role_count = 1,
        .roles = {bytes_text("operator")},
        .key_count = 1,
        .keys = {genesis_key(creation->operator_key, PURPOSE_MEMBER)},
    };
    genesis->members[1] = (struct genesis_member){
        .id = bytes_text(NODE_ID),
        .kind = MEMBER_NODE,
        .institution = bytes_text(NODE_OPERATOR_ID),
        .role_count = 1,
        .roles = {bytes_text("node")},
        .key_count = 2,
        .keys = {genesis_key(creation->receipt_key, PURPOSE_RECEIPT),
                 genesis_key(creation->checkpoint_key, PURPOSE_CHECKPOINT)},
    };
    genesis->members[2] = (struct genesis_member){
        .id = bytes_text(NODE_AUDIT_ID),
        .kind = MEMBER_APPLICATION,
        .institution = bytes_text(NODE_OPERATOR_ID),
        .role_count = 1,
        .roles = {bytes_text("application")},
        .key_count = 1,
        .keys = {genesis_key(creation->audit_key, PURPOSE_MEMBER)},
    };
    genesis_write(&creation->genesis, genesis);
    free(genesis);
}

static enum err read_head(struct node_made *made, struct store *store, struct why *why)
{
    struct ledger *ledger;
    TRY(ledger_open(&ledger, store, &modules_rules, why));
    struct view *view = ledger_view(ledger);
    made->header = *view_header(view);
    made->hash = *view_header_hash(view);
    view_release(view);
    ledger_close(ledger);
    return OK;
}

static enum err make_mark(const char *dir, const struct node_made *made, struct why *why)
{
    struct mark *mark;
    TRY(mark_open(&mark, dir, true, why));
    struct mark_head head = {made->header.epoch, made->header.height, made->hash};
    enum err err = mark_write(mark, &head);
    mark_close(mark);
    return err;
}

enum err node_make_ledger(struct node_made *made, const char *dir, struct bytes genesis,
                          uint64_t time_ms, struct why *why)
{
    struct store *store;
    struct store_options options = {.cache_len = CREATE_CACHE_LEN, .create = true};
    TRY(store_open(&store, dir, &options, why));
    enum err err = ledger_create(store, genesis, time_ms, &made->hash, why);
    if (err == OK) {
        err = read_head(made, store, why);
    }
    store_close(store);
    return err == OK ? make_mark(dir, made, why) : err;
}

void node_first_trust(struct buf *out, const char *name, const struct node_made *made,
                      struct trust_regime *regime)
{
    struct head head = {.place = header_place(&made->header),
                        .hash = made->hash,
                        .size = made->header.tree_size,
                        .root = made->header.tree_root};
    struct trust trust = {.name = bytes_text(name),
                          .chain = made->header.chain,
                          .regime_count = 1,
                          .regimes = regime,
                          .head_count = 1,
                          .heads = &head};
    trust_write(out, &trust);
}

enum err node_make_trust(const char *dir, const char *name, struct bytes bytes, struct why *why)
{
    char file[LEDGER_NAME_MAX + sizeof ".trust"];
    snprintf(file, sizeof file, "%s.trust", name);
    char *path = path_join(dir, file);
    enum err err = file_create(path, bytes, 0644, why);
    free(path);
    return err;
}

/* One regime: the node's receipt key. */
static enum err make_trust(struct creation *creation, struct why *why)
{
    struct receipt_key key = {.spki = pubkey_spki(signer_pubkey(creation->receipt_key)),
                              .node = bytes_text(NODE_ID)};
    struct trust_regime regime = {.key_count = 1, .keys = &key};
    struct buf bytes = {0};
    node_first_trust(&bytes, creation->name, &creation->ledger, &regime);
    enum err err = node_make_trust(creation->dir, creation->name, buf_bytes(&bytes), why);
    buf_clear(&bytes);
    return err;
}

static enum err make_all(struct creation *creation, struct why *why)
{
    TRY(make_keys(creation, why));
    make_genesis(creation);
    TRY(node_make_ledger(&creation->ledger, creation->dir, buf_bytes(&creation->genesis),
                         clock_wall_ms(), why));
    return make_trust(creation, why);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void node_remove_folder(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum err move_into_place(const struct creation *creation, const char *dir, struct why *why)
{
    if (rename(creation->dir, dir) != 0) {
        return why_say(why, ERR_IO, "folder", dir, "could not be given its place",
                       "Check the permissions of the folder above it.");
    }
    char *parent = path_join(dir, "..");
    enum err err = dir_sync(parent);
    free(parent);
    return err;
}

enum err node_create_as(const struct node_new *wanted, struct why *why)
{
    const char *dir = wanted->dir;
    TRY(node_check_ledger_name(wanted->name, why));
    TRY(check_place(dir, why));
    struct creation creation = {.wanted = wanted, .name = wanted->name};
    size_t cap = strlen(dir) + sizeof ".new-XXXXXX";
    creation.dir = mem_alloc(cap);
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/') {
        len--;
    }
    snprintf(creation.dir, cap, "%.*s.new-XXXXXX", (int)len, dir);
    enum err err = OK;
    if (!mkdtemp(creation.dir)) {
        err = why_say(why, ERR_IO, "folder", dir, "can't be made",
                      "Check that the folder above it exists and may be written.");
    } else {
        err = make_all(&creation, why);
        err = err == OK ? move_into_place(&creation, dir, why) : err;
        if (err != OK) {
            node_remove_folder(creation.dir);
        }
    }
    for (size_t i = 0; i < creation.made_count; i++) {
        signer_free(creation.made[i]);
    }
    buf_clear(&creation.genesis);
    free(creation.dir);
    return err;
}

enum err node_create(const char *dir, const char *name, const char *passphrase, struct why *why)
{
    struct node_new wanted = {.dir = dir, .name = name, .passphrase = passphrase};
    return node_create_as(&wanted, why);
}
