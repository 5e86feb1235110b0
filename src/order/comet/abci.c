#include "order/comet/abci.h"

#include "codec/protobuf.h"

#define KEY_LEN_MAX 4096 /* ML-DSA keys are the longest, 1,952 bytes */

/* What the four requests with a block carry, and under which number. */
enum part {
    MAX_TX_BYTES,
    TXS,
    LAST_COMMIT,
    MISBEHAVIOR,
    HASH,
    HEIGHT,
    TIME,
    NEXT,
    PROPOSER,
    PARTS
};

struct layout {
    uint8_t number[PARTS]; /* 0: not in this one */
};

static const struct layout prepare_layout = {{1, 2, 3, 4, 0, 5, 6, 7, 8}};
static const struct layout decided_layout = {{0, 1, 2, 3, 4, 5, 6, 7, 8}};
static const struct layout extend_layout = {{0, 4, 5, 6, 1, 2, 3, 7, 8}};

/* Where an array goes that stands as a repeated field: its room, made before it is filled. */
static void *room(struct pb_reader *reader, struct bytes message, unsigned number, size_t max,
                  size_t size, struct arena *arena)
{
    size_t count = pb_count(message, number);
    if (count > max) {
        pb_fail(reader, ERR_RANGE);
        count = 0;
    }
    return arena_array(arena, count + 1, size);
}

static struct bytes any_bytes(struct pb_reader *reader, const struct pb_field *field)
{
    return pb_bytes(reader, field, ABCI_FRAME_MAX);
}

/* An int64 that is none below zero. */
static uint64_t count_of(struct pb_reader *reader, const struct pb_field *field)
{
    return pb_uint(reader, field, INT64_MAX);
}

static struct comet_time time_of(struct pb_reader *outer, const struct pb_field *field)
{
    struct comet_time time = {0};
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            time.seconds = pb_int(&reader, &part);
        } else if (part.number == 2) {
            time.nanos = (uint32_t)pb_uint(&reader, &part, 999999999);
        }
    }
    pb_fail(outer, reader.err);
    return time;
}

/* abci.Validator: an address and its power. */
static void read_validator(struct pb_reader *outer, const struct pb_field *field,
                           struct bytes *address, uint64_t *power)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            *address = pb_bytes(&reader, &part, ABCI_ADDRESS_LEN);
        } else if (part.number == 3) {
            *power = count_of(&reader, &part);
        }
    }
    pb_fail(outer, reader.err);
}

/* VoteInfo, and ExtendedVoteInfo, whose flag has another number. */
static void read_vote(struct pb_reader *outer, const struct pb_field *field, unsigned flag_number,
                      struct abci_vote *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            read_validator(&reader, &part, &out->address, &out->power);
        } else if (part.number == flag_number) {
            out->flag = (enum abci_flag)pb_uint(&reader, &part, ABCI_FLAG_NIL);
        }
    }
    pb_fail(outer, reader.err);
}

static void read_votes(struct pb_reader *outer, const struct pb_field *field, bool extended,
                       struct abci_votes *out, struct arena *arena)
{
    struct pb_reader reader;
    struct pb_field part;
    struct bytes message = any_bytes(outer, field);
    pb_init(&reader, message);
    *out = (struct abci_votes){
        .at = room(&reader, message, 2, ABCI_VOTES_MAX, sizeof *out->at, arena)};
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            out->round = pb_uint(&reader, &part, INT32_MAX);
        } else if (part.number == 2) {
            read_vote(&reader, &part, extended ? 5 : 3, &out->at[out->count++]);
        }
    }
    pb_fail(outer, reader.err);
}

static void read_misbehavior(struct pb_reader *outer, const struct pb_field *field,
                             struct abci_misbehavior *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        switch (part.number) {
        case 1:
            out->offence = (enum abci_offence)pb_uint(&reader, &part, ABCI_LIGHT_CLIENT_ATTACK);
            break;
        case 2:
            read_validator(&reader, &part, &out->address, &out->power);
            break;
        case 3:
            out->height = count_of(&reader, &part);
            break;
        case 4:
            out->time = time_of(&reader, &part);
            break;
        case 5:
            out->total_power = count_of(&reader, &part);
            break;
        default:
            break;
        }
    }
    pb_fail(outer, reader.err);
}

static enum part part_of(const struct layout *layout, unsigned number)
{
    enum part part = MAX_TX_BYTES;
    while (part < PARTS && layout->number[part] != number) {
        part++;
    }
    return part;
}

/* `field` is `part` of the block, PARTS if it is unknown. */
static void read_part(struct pb_reader *reader, const struct pb_field *field, enum part part,
                      struct abci_block *out)
{
    switch (part) {
    case MAX_TX_BYTES:
        out->max_tx_bytes = count_of(reader, field);
        return;
    case TXS:
        out->txs[out->tx_count++] = any_bytes(reader, field);
        return;
    case MISBEHAVIOR:
        read_misbehavior(reader, field, &out->misbehavior[out->misbehavior_count++]);
        return;
    case HASH:
        out->hash = pb_bytes(reader, field, COMET_HASH_MAX);
        return;
    case HEIGHT:
        out->height = count_of(reader, field);
        return;
    case TIME:
        out->time = time_of(reader, field);
        return;
    case NEXT:
        out->next_validators_hash = pb_bytes(reader, field, COMET_HASH_MAX);
        return;
    case PROPOSER:
        out->proposer = pb_bytes(reader, field, ABCI_ADDRESS_LEN);
        return;
    case LAST_COMMIT:
    case PARTS:
        return;
    }
}

static enum err parse_block(struct abci_block *out, struct bytes message,
                            const struct layout *layout, struct arena *arena)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    out->txs = room(&reader, message, layout->number[TXS], ABCI_TXS_MAX, sizeof *out->txs, arena);
    out->misbehavior = room(&reader, message, layout->number[MISBEHAVIOR], ABCI_MISBEHAVIOR_MAX,
                            sizeof *out->misbehavior, arena);
    while (pb_next(&reader, &field)) {
        enum part part = part_of(layout, field.number);
        if (part == LAST_COMMIT) {
            read_votes(&reader, &field, layout == &prepare_layout, &out->last_commit, arena);
        } else {
            read_part(&reader, &field, part, out);
        }
    }
    return pb_end(&reader);
}

static enum err parse_info(struct abci_info *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1:
            out->version = any_bytes(&reader, &field);
            break;
        case 2:
            out->block_version = pb_uint(&reader, &field, UINT64_MAX);
            break;
        case 3:
            out->p2p_version = pb_uint(&reader, &field, UINT64_MAX);
            break;
        case 4:
            out->abci_version = any_bytes(&reader, &field);
            break;
        default:
            break;
        }
    }
    return pb_end(&reader);
}

/* One number of a section of the consensus parameters, and where it goes. */
struct setting {
    unsigned section;
    unsigned number;
    int64_t *value;
};

static void read_section(struct pb_reader *outer, const struct pb_field *field,
                         const struct setting *settings, size_t count)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        for (size_t i = 0; i < count; i++) {
            if (settings[i].section == field->number && settings[i].number == part.number) {
                *settings[i].value = pb_int(&reader, &part);
            }
        }
    }
    pb_fail(outer, reader.err);
}

static void read_params(struct pb_reader *outer, const struct pb_field *field,
                        struct abci_params *out)
{
    const struct setting settings[] = {
        {1, 1, &out->block_max_bytes},  {1, 2, &out->block_max_gas},
        {2, 1, &out->evidence_max_age}, {2, 3, &out->evidence_max_bytes},
        {4, 1, &out->app_version},      {5, 1, &out->vote_extensions_height},
    };
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    out->there = true;
    while (pb_next(&reader, &part)) {
        read_section(&reader, &part, settings, sizeof settings / sizeof *settings);
    }
    pb_fail(outer, reader.err);
}

/* PublicKey, a oneof of key types. */
static void read_key(struct pb_reader *outer, const struct pb_field *field,
                     struct abci_validator *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        out->key_type = part.number;
        out->key = pb_bytes(&reader, &part, KEY_LEN_MAX);
    }
    pb_fail(outer, reader.err);
}

static void read_update(struct pb_reader *outer, const struct pb_field *field,
                        struct abci_validator *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            read_key(&reader, &part, out);
        } else if (part.number == 2) {
            out->power = count_of(&reader, &part);
        }
    }
    pb_fail(outer, reader.err);
}

static enum err parse_init_chain(struct abci_init_chain *out, struct bytes message,
                                 struct arena *arena)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    out->validators = room(&reader, message, 4, ABCI_VOTES_MAX, sizeof *out->validators, arena);
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1:
            out->time = time_of(&reader, &field);
            break;
        case 2:
            out->chain = any_bytes(&reader, &field);
            break;
        case 3:
            read_params(&reader, &field, &out->params);
            break;
        case 4:
            read_update(&reader, &field, &out->validators[out->validator_count++]);
            break;
        case 5:
            out->app_state = any_bytes(&reader, &field);
            break;
        case 6:
            out->initial_height = count_of(&reader, &field);
            break;
        default:
            break;
        }
    }
    return pb_end(&reader);
}

static enum err parse_query(struct abci_query *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1:
            out->data = any_bytes(&reader, &field);
            break;
        case 2:
            out->path = any_bytes(&reader, &field);
            break;
        case 3:
            out->height = count_of(&reader, &field);
            break;
        case 4:
            out->prove = pb_bool(&reader, &field);
            break;
        default:
            break;
        }
    }
    return pb_end(&reader);
}

/* CheckTx, and InsertTx, which lacks the type. */
static enum err parse_check_tx(struct abci_check_tx *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            out->tx = any_bytes(&reader, &field);
        } else if (field.number == 2) {
            out->recheck = pb_uint(&reader, &field, 1) == 1;
        }
    }
    return pb_end(&reader);
}

static void read_snapshot(struct pb_reader *outer, const struct pb_field *field,
                          struct abci_snapshot *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, any_bytes(outer, field));
    while (pb_next(&reader, &part)) {
        switch (part.number) {
        case 1:
            out->height = pb_uint(&reader, &part, UINT64_MAX);
            break;
        case 2:
            out->format = pb_uint(&reader, &part, UINT32_MAX);
            break;
        case 3:
            out->chunks = pb_uint(&reader, &part, UINT32_MAX);
            break;
        case 4:
            out->hash = any_bytes(&reader, &part);
            break;
        case 5:
            out->metadata = any_bytes(&reader, &part);
            break;
        default:
            break;
        }
    }
    pb_fail(outer, reader.err);
}

static enum err parse_offer_snapshot(struct abci_offer_snapshot *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            read_snapshot(&reader, &field, &out->snapshot);
        } else if (field.number == 2) {
            out->app_hash = any_bytes(&reader, &field);
        }
    }
    return pb_end(&reader);
}

static enum err parse_load_chunk(struct abci_chunk *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            out->height = pb_uint(&reader, &field, UINT64_MAX);
        } else if (field.number == 2) {
            out->format = pb_uint(&reader, &field, UINT32_MAX);
        } else if (field.number == 3) {
            out->index = pb_uint(&reader, &field, UINT32_MAX);
        }
    }
    return pb_end(&reader);
}

static enum err parse_apply_chunk(struct abci_chunk *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            out->index = pb_uint(&reader, &field, UINT32_MAX);
        } else if (field.number == 2) {
            out->chunk = any_bytes(&reader, &field);
        } else if (field.number == 3) {
            out->sender = any_bytes(&reader, &field);
        }
    }
    return pb_end(&reader);
}

static enum err parse_extension(struct abci_extension *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        switch (field.number) {
        case 1:
            out->hash = pb_bytes(&reader, &field, COMET_HASH_MAX);
            break;
        case 2:
            out->address = pb_bytes(&reader, &field, ABCI_ADDRESS_LEN);
            break;
        case 3:
            out->height = count_of(&reader, &field);
            break;
        case 4:
            out->extension = any_bytes(&reader, &field);
            break;
        default:
            break;
        }
    }
    return pb_end(&reader);
}

static enum err parse_reap_txs(struct abci_reap_txs *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            out->max_bytes = pb_uint(&reader, &field, UINT64_MAX);
        } else if (field.number == 2) {
            out->max_gas = pb_uint(&reader, &field, UINT64_MAX);
        }
    }
    return pb_end(&reader);
}

static enum err parse_echo(struct bytes *out, struct bytes message)
{
    struct pb_reader reader;
    struct pb_field field;
    pb_init(&reader, message);
    while (pb_next(&reader, &field)) {
        if (field.number == 1) {
            *out = any_bytes(&reader, &field);
        }
    }
    return pb_end(&reader);
}

/* Requests without content; what a newer CometBFT puts into them is skipped. */
static enum err parse_empty(struct bytes message)
{
    struct bytes nothing;
    return parse_echo(&nothing, message);
}

static enum err parse_body(struct abci_request *out, struct bytes message, struct arena *arena)
{
    switch (out->kind) {
    case ABCI_ECHO:
        return parse_echo(&out->echo, message);
    case ABCI_INFO:
        return parse_info(&out->info, message);
    case ABCI_INIT_CHAIN:
        return parse_init_chain(&out->init_chain, message, arena);
    case ABCI_QUERY:
        return parse_query(&out->query, message);
    case ABCI_CHECK_TX:
    case ABCI_INSERT_TX:
        return parse_check_tx(&out->check_tx, message);
    case ABCI_FLUSH:
    case ABCI_COMMIT:
    case ABCI_LIST_SNAPSHOTS:
        return parse_empty(message);
    case ABCI_OFFER_SNAPSHOT:
        return parse_offer_snapshot(&out->offer_snapshot, message);
    case ABCI_LOAD_SNAPSHOT_CHUNK:
        return parse_load_chunk(&out->chunk, message);
    case ABCI_APPLY_SNAPSHOT_CHUNK:
        return parse_apply_chunk(&out->chunk, message);
    case ABCI_PREPARE_PROPOSAL:
        return parse_block(&out->block, message, &prepare_layout, arena);
    case ABCI_EXTEND_VOTE:
        return parse_block(&out->block, message, &extend_layout, arena);
    case ABCI_PROCESS_PROPOSAL:
    case ABCI_FINALIZE_BLOCK:
        return parse_block(&out->block, message, &decided_layout, arena);
    case ABCI_VERIFY_VOTE_EXTENSION:
        return parse_extension(&out->extension, message);
    case ABCI_REAP_TXS:
        return parse_reap_txs(&out->reap_txs, message);
    }
    return ERR_UNSUPPORTED;
}

enum err abci_request_parse(struct abci_request *out, struct bytes message, struct arena *arena)
{
    struct pb_reader reader;
    struct pb_field field;
    *out = (struct abci_request){0};
    pb_init(&reader, message);
    bool there = pb_next(&reader, &field);
    struct bytes body = there ? any_bytes(&reader, &field) : BYTES_NONE;
    TRY(pb_end(&reader));
    if (!there) {
        return ERR_FORMAT;
    }
    out->kind = (enum abci_kind)field.number;
    return parse_body(out, body, arena);
}

const char *abci_kind_name(enum abci_kind kind)
{
    static const char *const names[] = {
        [ABCI_ECHO] = "Echo",
        [ABCI_FLUSH] = "Flush",
        [ABCI_INFO] = "Info",
        [ABCI_INIT_CHAIN] = "InitChain",
        [ABCI_QUERY] = "Query",
        [ABCI_CHECK_TX] = "CheckTx",
        [ABCI_COMMIT] = "Commit",
        [ABCI_LIST_SNAPSHOTS] = "ListSnapshots",
        [ABCI_OFFER_SNAPSHOT] = "OfferSnapshot",
        [ABCI_LOAD_SNAPSHOT_CHUNK] = "LoadSnapshotChunk",
        [ABCI_APPLY_SNAPSHOT_CHUNK] = "ApplySnapshotChunk",
        [ABCI_PREPARE_PROPOSAL] = "PrepareProposal",
        [ABCI_PROCESS_PROPOSAL] = "ProcessProposal",
        [ABCI_EXTEND_VOTE] = "ExtendVote",
        [ABCI_VERIFY_VOTE_EXTENSION] = "VerifyVoteExtension",
        [ABCI_FINALIZE_BLOCK] = "FinalizeBlock",
        [ABCI_INSERT_TX] = "InsertTx",
        [ABCI_REAP_TXS] = "ReapTxs",
    };
    size_t at = (size_t)kind;
    return at < sizeof names / sizeof *names && names[at] != NULL ? names[at] : "unknown";
}

enum err abci_frame_parse(struct bytes input, size_t *head_len, size_t *len)
{
    uint64_t value = 0;
    int head = pb_varint_parse(input, &value);
    if (head == 0) {
        return ERR_TRUNCATED;
    }
    if (head < 0 || value > ABCI_FRAME_MAX) {
        return ERR_RANGE;
    }
    *head_len = (size_t)head;
    *len = (size_t)value;
    return OK;
}
