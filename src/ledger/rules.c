#include "ledger/rules.h"

#include <string.h>

void foreign_state_key(struct buf *out, const struct hash *id)
{
    cbor_put_array(out, 2);
    cbor_put_literal(out, "foreign");
    cbor_put_hash(out, id);
}

static bool is_text(struct bytes bytes, const char *text)
{
    return bytes_equal(bytes, bytes_text(text));
}

const struct module *rules_module(const struct rules *rules, struct bytes name)
{
    for (size_t i = 0; rules->modules[i] != NULL; i++) {
        if (is_text(name, rules->modules[i]->name)) {
            return rules->modules[i];
        }
    }
    return NULL;
}

static const struct action *find(const struct rules *rules, struct bytes name, struct bytes action)
{
    const struct module *module = rules_module(rules, name);
    for (size_t i = 0; module != NULL && i < module->action_count; i++) {
        if (is_text(action, module->actions[i].name)) {
            return &module->actions[i];
        }
    }
    return NULL;
}

enum err rules_find(const struct rules *rules, const struct statement *statement,
                    const struct action **out, struct why *why)
{
    if (statement->foreign) {
        *out = rules->foreign;
        return *out != NULL ? OK
                            : why_say(why, ERR_UNSUPPORTED, "statement", NULL,
                                      "is of another system; this ledger takes none", NULL);
    }
    struct bytes module;
    struct bytes action;
    *out = statement_action(statement, &module, &action) ? find(rules, module, action) : NULL;
    if (*out == NULL) {
        return why_sayf(why, ERR_UNSUPPORTED, "content type", "is unknown to this ledger", NULL,
                        "%.*s", (int)statement->content_type.len,
                        (const char *)statement->content_type.at);
    }
    return OK;
}
