#include "modules/evidence/evidence.h"

static void begin(struct cbor_reader *reader, struct bytes in, size_t members)
{
    cbor_init(reader, in);
    cbor_array(reader, members, members);
    cbor_version(reader, 1);
}

static void begin_write(struct buf *out, size_t members)
{
    cbor_put_array(out, members);
    cbor_put_uint(out, 1);
}

static void place_read(struct cbor_reader *reader, struct evidence_place *out)
{
    out->statement = cbor_hash(reader);
    out->number = (uint16_t)cbor_uint_max(reader, DEPOSIT_ITEMS_MAX - 1);
}

static void place_write(struct buf *out, const struct evidence_place *place)
{
    cbor_put_hash(out, &place->statement);
    cbor_put_uint(out, place->number);
}

enum err evidence_supersede_parse(struct evidence_supersede *out, struct bytes in)
{
    struct cbor_reader reader;
    begin(&reader, in, 6);
    place_read(&reader, &out->old);
    place_read(&reader, &out->new);
    out->reason = cbor_text(&reader, 1, EVIDENCE_REASON_MAX);
    return cbor_end(&reader);
}

void evidence_supersede_write(struct buf *out, const struct evidence_supersede *body)
{
    begin_write(out, 6);
    place_write(out, &body->old);
    place_write(out, &body->new);
    cbor_put_text(out, body->reason);
}

enum err evidence_withdraw_parse(struct evidence_withdraw *out, struct bytes in)
{
    struct cbor_reader reader;
    begin(&reader, in, 4);
    place_read(&reader, &out->place);
    out->reason = cbor_text(&reader, 1, EVIDENCE_REASON_MAX);
    return cbor_end(&reader);
}

void evidence_withdraw_write(struct buf *out, const struct evidence_withdraw *body)
{
    begin_write(out, 4);
    place_write(out, &body->place);
    cbor_put_text(out, body->reason);
}

enum err evidence_countersign_parse(struct evidence_countersign *out, struct bytes in)
{
    struct cbor_reader reader;
    begin(&reader, in, 4);
    place_read(&reader, &out->place);
    out->role = cbor_text(&reader, 1, EVIDENCE_ROLE_MAX);
    return cbor_end(&reader);
}

void evidence_countersign_write(struct buf *out, const struct evidence_countersign *body)
{
    begin_write(out, 4);
    place_write(out, &body->place);
    cbor_put_text(out, body->role);
}

static void place_key_begin(struct buf *out, const char *kind, size_t members,
                            const struct evidence_place *place)
{
    cbor_put_array(out, members);
    cbor_put_literal(out, kind);
    place_write(out, place);
}

void withdrawn_state_key(struct buf *out, const struct evidence_place *place, struct bytes member)
{
    place_key_begin(out, "withdrawn", 4, place);
    cbor_put_text(out, member);
}

void superseded_state_key(struct buf *out, const struct evidence_place *place, struct bytes member)
{
    place_key_begin(out, "superseded", 4, place);
    cbor_put_text(out, member);
}

void countersigned_state_key(struct buf *out, const struct evidence_countersign *body,
                             struct bytes member)
{
    place_key_begin(out, "countersigned", 5, &body->place);
    cbor_put_text(out, body->role);
    cbor_put_text(out, member);
}

void quota_state_key(struct buf *out, const struct hash *kid)
{
    cbor_put_array(out, 2);
    cbor_put_literal(out, "quota");
    cbor_put_hash(out, kid);
}
