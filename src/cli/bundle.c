#include "cli/bundle.h"

#include "merkle/tree.h"
#include "proof/batchproof.h"

#include <stdlib.h>
#include <string.h>

static void item_of(struct item *out, const struct file_digest *file,
                    const struct item_common *common)
{
    *out = (struct item){
        .form = file->blinded ? ITEM_BLINDED : ITEM_PLAIN,
        .sha256 = file->sha256,
        .sm3 = file->sm3,
        .has_size = !file->blinded,
        .size = file->blinded ? 0 : file->size,
        .media_type = file->blinded ? BYTES_NONE : bytes_text(file->media_type),
        .ref = common->ref,
        .phase = common->phase,
    };
}

/* Fills the levels of the tree above the leaves, and the root. */
static void tree_fill(struct bundle *batch)
{
    struct frontier frontier = {0};
    for (uint32_t i = 0; i < batch->count; i++) {
        frontier_append(&frontier, &batch->levels[0][i]);
    }
    frontier_root(&frontier, &batch->root);
    for (unsigned level = 1; batch->count >> level > 0; level++) {
        uint32_t nodes = batch->count >> level;
        batch->levels[level] = mem_alloc(nodes * sizeof(struct hash));
        for (uint32_t i = 0; i < nodes; i++) {
            const struct hash *below = &batch->levels[level - 1][2 * (size_t)i];
            node_hash(&batch->levels[level][i], &below[0], &below[1]);
        }
    }
}

static void bundle_reserve(struct bundle *batch, size_t count)
{
    *batch = (struct bundle){0};
    batch->offsets = mem_alloc((count + 1) * sizeof *batch->offsets);
    batch->levels[0] = mem_alloc(count * sizeof(struct hash));
}

/* Takes the bytes behind the last offset as one item. */
static void item_take(struct bundle *batch, size_t end)
{
    size_t start = batch->offsets[batch->count];
    leaf_hash(&batch->levels[0][batch->count],
              (struct bytes){batch->items.at + start, end - start});
    batch->offsets[++batch->count] = (uint32_t)end;
}

void bundle_fill(struct bundle *out, const struct file_digest *files, size_t count,
                 const struct item_common *common)
{
    BUG_ON(count == 0);
    count = count > DEPOSIT_ITEMS_MAX ? DEPOSIT_ITEMS_MAX : count;
    bundle_reserve(out, count);
    out->files = files;
    out->offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        struct item item;
        item_of(&item, &files[i], common);
        item_write(&out->items, &item);
        if (out->items.len > BATCH_BYTES_MAX) {
            out->items.len = out->offsets[i];
            break;
        }
        item_take(out, out->items.len);
    }
    tree_fill(out);
}

enum err bundle_parse(struct bundle *out, struct bytes items)
{
    *out = (struct bundle){0};
    if (items.len == 0 || items.len > BATCH_BYTES_MAX) {
        return ERR_RANGE;
    }
    bundle_reserve(out, DEPOSIT_ITEMS_MAX);
    buf_put(&out->items, items);
    out->offsets[0] = 0;
    struct bytes rest = buf_bytes(&out->items);
    while (rest.len > 0) {
        struct item item;
        TRY(out->count == DEPOSIT_ITEMS_MAX ? ERR_RANGE : item_parse_first(&item, rest, &rest));
        item_take(out, items.len - rest.len);
    }
    tree_fill(out);
    return OK;
}

void bundle_clear(struct bundle *batch)
{
    buf_clear(&batch->items);
    free(batch->offsets);
    for (size_t i = 0; i < sizeof batch->levels / sizeof *batch->levels; i++) {
        free(batch->levels[i]);
    }
    *batch = (struct bundle){0};
}

struct bytes bundle_item(const struct bundle *batch, uint32_t number)
{
    BUG_ON(number >= batch->count);
    uint32_t start = batch->offsets[number];
    return (struct bytes){batch->items.at + start, batch->offsets[number + 1] - start};
}

static enum err node_get(void *context, struct hash *out, unsigned level, uint64_t index)
{
    const struct bundle *batch = context;
    BUG_ON(level >= sizeof batch->levels / sizeof *batch->levels || index >= batch->count >> level);
    *out = batch->levels[level][index];
    return OK;
}

enum err bundle_proof(struct buf *out, const struct bundle *batch, struct bytes shared,
                      uint32_t number, const uint8_t *salt)
{
    struct proof_file file;
    TRY(proof_file_read(&file, shared));
    file.item = bundle_item(batch, number);
    file.number = (uint16_t)number;
    struct bundle *tree = (struct bundle *)(uintptr_t)batch; /* node_get only reads it */
    TRY(path_build(&file.item_path, number, batch->count, node_get, tree));
    file.salt = salt ? (struct bytes){salt, SALT_LEN} : BYTES_NONE;
    proof_file_write(out, &file);
    return OK;
}

bool bundle_blinded(const struct bundle *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->files[i].blinded) {
            return true;
        }
    }
    return false;
}

enum err bundle_proofs(struct buf *out, const struct bundle *bundle, struct bytes shared)
{
    struct proof_file file;
    TRY(proof_file_read(&file, shared));
    batch_proofs_begin(out, &file, bundle->count);
    for (uint32_t i = 0; i < bundle->count; i++) {
        const struct file_digest *digest = &bundle->files[i];
        struct bytes name = bytes_text(digest->path);
        bool named = name.len <= BATCH_NAME_MAX && bytes_is_utf8(name);
        struct batch_item item = {
            .item = bundle_item(bundle, i),
            .salt = digest->blinded ? (struct bytes){digest->salt, SALT_LEN} : BYTES_NONE,
            .name = named ? name : BYTES_NONE,
        };
        batch_proofs_item(out, &item);
    }
    return OK;
}
