#include "ledger/context.h"

#include "ledger/timer.h"

#include <string.h>

#define KEY_MAX   256
#define VALUE_MAX 32768

void state_key_write(struct buf *out, struct bytes module, struct bytes key)
{
    out->len = 0;
    cbor_put_array(out, 2);
    cbor_put_text(out, module);
    buf_put(out, key);
}

static enum err fault(struct rule_context *context, enum err err)
{
    if (context->fault == OK) {
        context->fault = err;
    }
    return err;
}

enum err context_get(struct rule_context *context, struct bytes state_key, struct buf *out)
{
    struct bytes value;
    switch (overlay_get(context->overlay, state_key, &value)) {
    case CHANGE_PUT:
        buf_put(out, value);
        return OK;
    case CHANGE_DELETE:
        return ERR_NOT_FOUND;
    case CHANGE_NONE:
        break;
    }
    enum err err = context->past.get(context->past.context, state_key, out);
    return err == OK || err == ERR_NOT_FOUND ? err : fault(context, err);
}

/* Begins the whole state key of a record of module "member" in context->key. */
static struct buf *begin_member_key(struct rule_context *context)
{
    state_key_write(&context->key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    return &context->key;
}

static struct bytes kid_key(struct rule_context *context, const struct hash *kid)
{
    key_record_state_key(begin_member_key(context), kid);
    return buf_bytes(&context->key);
}

static struct bytes member_key(struct rule_context *context, struct bytes member)
{
    member_state_key(begin_member_key(context), member);
    return buf_bytes(&context->key);
}

typedef enum err add_fn(struct known *known, const struct known_record **out,
                        struct bytes state_key, struct bytes record);

static enum err record_get(struct rule_context *context, const struct known_record **out,
                           struct bytes state_key, add_fn *add)
{
    *out = known_find(context->known, state_key);
    if (*out != NULL) {
        return OK;
    }
    context->value.len = 0;
    TRY(context_get(context, state_key, &context->value));
    if (add(context->known, out, state_key, buf_bytes(&context->value)) != OK) {
        return fault(context, ERR_CORRUPT);
    }
    return OK;
}

enum err context_key(struct rule_context *context, const struct known_record **out,
                     const struct hash *kid)
{
    return record_get(context, out, kid_key(context, kid), known_add_key);
}

enum err context_member(struct rule_context *context, const struct known_record **out,
                        struct bytes member)
{
    return record_get(context, out, member_key(context, member), known_add_member);
}

static void drop(void *context, struct bytes state_key)
{
    known_drop(context, state_key);
}

void context_undo(struct rule_context *context)
{
    overlay_undo(context->overlay, drop, context->known);
}

void context_clear(struct rule_context *context)
{
    overlay_clear(context->overlay, drop, context->known);
}

static void put(struct rule_context *context, struct bytes state_key, struct bytes value)
{
    BUG_ON(value.len > VALUE_MAX || value.len == 0);
    context->put_len += state_key.len + value.len;
    known_drop(context->known, state_key);
    overlay_put(context->overlay, state_key, value);
}

static struct bytes own_key(struct rule_context *context, struct bytes key)
{
    BUG_ON(key.len == 0 || key.len > KEY_MAX);
    state_key_write(&context->key, context->module, key);
    return buf_bytes(&context->key);
}

enum err rule_get(struct rule_context *context, struct bytes key, struct buf *out)
{
    return context_get(context, own_key(context, key), out);
}

void rule_put(struct rule_context *context, struct bytes key, struct bytes value)
{
    put(context, own_key(context, key), value);
}

void context_delete(struct rule_context *context, struct bytes state_key)
{
    context->put_len += state_key.len;
    known_drop(context->known, state_key);
    overlay_delete(context->overlay, state_key);
}

void rule_delete(struct rule_context *context, struct bytes key)
{
    context_delete(context, own_key(context, key));
}

static const struct timer *own_timer(struct timer *out, struct rule_context *context,
                                     uint64_t due_ms, struct bytes id)
{
    const struct module *module = rules_module(context->rules, context->module);
    BUG_ON(module == NULL || module->on_timer == NULL || id.len == 0 || id.len > TIMER_ID_MAX);
    *out = (struct timer){due_ms, context->module, id};
    return out;
}

enum err rule_timer_set(struct rule_context *context, uint64_t due_ms, struct bytes id)
{
    struct timer timer;
    timer_key_write(&context->key, own_timer(&timer, context, due_ms, id));
    if (context->in_timer && due_ms <= context->timer_due_ms) {
        return ERR_RANGE;
    }
    context->value.len = 0;
    timer_value_write(&context->value);
    put(context, buf_bytes(&context->key), buf_bytes(&context->value));
    return OK;
}

void rule_timer_clear(struct rule_context *context, uint64_t due_ms, struct bytes id)
{
    struct timer timer;
    timer_key_write(&context->key, own_timer(&timer, context, due_ms, id));
    context_delete(context, buf_bytes(&context->key));
}

uint64_t rule_index(const struct rule_context *context)
{
    return context->index;
}

uint64_t rule_height(const struct rule_context *context)
{
    return context->height;
}

uint64_t rule_time_ms(const struct rule_context *context)
{
    return context->time_ms;
}

const struct hash *rule_chain(const struct rule_context *context)
{
    return &context->previous->chain;
}

const struct header *rule_previous(const struct rule_context *context)
{
    return context->previous;
}

const struct hash *rule_previous_hash(const struct rule_context *context)
{
    return &context->previous_hash;
}

bool rule_is_first(const struct rule_context *context)
{
    return context->accepted == 0;
}

void rule_next_epoch(struct rule_context *context)
{
    BUG_ON(context->in_timer);
    context->wants_next_epoch = true;
}

struct bytes rule_member(const struct rule_context *context)
{
    return context->member;
}

const struct hash *rule_kid(const struct rule_context *context)
{
    return &context->kid;
}

const struct rules *rule_rules(const struct rule_context *context)
{
    return context->rules;
}

enum err rule_member_record(struct rule_context *context, struct bytes member, struct buf *out)
{
    const struct known_record *known;
    TRY(context_member(context, &known, member));
    buf_put(out, buf_bytes(&known->record));
    return OK;
}

enum err rule_key_record(struct rule_context *context, const struct hash *kid, struct buf *out)
{
    const struct known_record *known;
    TRY(context_key(context, &known, kid));
    buf_put(out, buf_bytes(&known->record));
    return OK;
}

/* Takes a kid out of the kids in force of its member, and writes the member's record. */
static enum err member_loses_key(struct rule_context *context, struct bytes member,
                                 const struct hash *kid)
{
    const struct known_record *known;
    TRY(context_member(context, &known, member));
    struct member_record record = *known->member;
    size_t kept = 0;
    for (size_t i = 0; i < record.key_count; i++) {
        if (!hash_equal(&record.keys[i], kid)) {
            record.keys[kept++] = record.keys[i];
        }
    }
    record.key_count = kept;
    context->value.len = 0;
    member_record_write(&context->value, &record);
    put(context, member_key(context, member), buf_bytes(&context->value));
    return OK;
}

enum err rule_key_end(struct rule_context *context, const struct hash *kid)
{
    const struct known_record *known;
    BUG_ON(context->in_timer);
    TRY(context_key(context, &known, kid));
    if (known->key->has_until) {
        return ERR_EXISTS;
    }
    uint8_t member_at[MEMBER_ID_MAX];
    struct key_record record = *known->key;
    struct bytes member = {member_at, record.member.len};
    BUG_ON(member.len > sizeof member_at);
    memcpy(member_at, record.member.at, member.len);
    record.has_until = true;
    record.until = context->index + 1;
    context->value.len = 0;
    key_record_write(&context->value, &record);
    put(context, kid_key(context, kid), buf_bytes(&context->value));
    return member_loses_key(context, member, kid);
}
