#include "cli/acts.h"

#include "base/file.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "node/node.h"

#include <unistd.h>

#define FILE_MAX ((size_t)16 << 20)

void note_file(struct node *node, enum audit_act act, const char *path)
{
    struct buf bytes = {0};
    char who[AUDIT_WHO_CAP];
    char digest[65] = "none";
    struct hash hash;
    if (file_read(&bytes, path, FILE_MAX, NULL) == OK) {
        sha256(&hash, buf_bytes(&bytes));
        hex_write(digest, hash_bytes(&hash));
    }
    /* It may hold a key beside its certificate. */
    if (bytes.len > 0) {
        wipe(bytes.at, bytes.len);
    }
    buf_clear(&bytes);
    audit_user(who, geteuid());
    struct audit_entry entry = {
        .act = act, .who = who, .details = {{"file", path}, {"sha256", digest}}};
    audit_add(node_audit(node), &entry, 1);
}

void note_key(struct node *node, const char *purpose, const struct signer *signer)
{
    char who[AUDIT_WHO_CAP];
    char kid[65];
    audit_user(who, geteuid());
    hex_write(kid, hash_bytes(pubkey_kid(signer_pubkey(signer))));
    struct audit_entry entry = {
        .act = AUDIT_KEY_OPEN, .who = who, .details = {{"purpose", purpose}, {"kid", kid}}};
    audit_add(node_audit(node), &entry, 1);
}
