/* The other organisations of a consortium, as the setting `peer` names them. */
#include "config/internal.h"

#include "base/address.h"

#include <string.h>

static enum err say(struct why *why, const char *text, const char *problem, const char *remedy)
{
    return why_say(why, ERR_FORMAT, "peer", text, problem, remedy);
}

/* Copies the next word; false if there is none or it has no room. */
static bool next_word(const char **at, char *out, size_t cap)
{
    const char *from = *at + strspn(*at, " \t");
    size_t len = strcspn(from, " \t");
    *at = from + len;
    if (len == 0 || len >= cap) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

enum err config_peer_parse(struct config_peer *out, const char *text, struct why *why)
{
    const char *at = text;
    bool whole = next_word(&at, out->name, sizeof out->name) &&
                 next_word(&at, out->address, sizeof out->address) &&
                 next_word(&at, out->url, sizeof out->url);
    if (!whole || at[strspn(at, " \t")] != '\0') {
        return say(why, text, "is not NAME HOST:PORT URL",
                   "Write it as org2 node.org2.example:26656 https://node.org2.example.");
    }
    if (!organisation_ok(bytes_text(out->name))) {
        return say(why, text, "has no name of an organisation first",
                   "Its name has 1 to 32 of a-z 0-9 and -, as in the ledger's genesis.");
    }
    if (!host_port_ok(bytes_text(out->address))) {
        return say(why, text, "has no HOST:PORT in the second place",
                   "Write the address of its engine as node.org2.example:26656.");
    }
    return node_url_ok(bytes_text(out->url))
               ? OK
               : say(why, text, "has no URL in the third place",
                     "Write the URL of its node as https://node.org2.example, "
                     "without a path.");
}
