/* Structured field values of HTTP (RFC 8941): dictionaries, read strictly and within bounds.
 *
 * What is read: dictionaries whose members are items or inner lists, with parameters, of every
 * type of the RFC. Beyond it a key that stands twice is refused, where the RFC lets the last one
 * win, and byte sequences need their padding: two readers must not see two things.
 *
 *   ERR_FORMAT  for what the grammar does not allow
 *   ERR_EXISTS  a key that stands twice
 *   ERR_RANGE   input over SF_LEN_MAX bytes, or more than SF_NODES_MAX members, items and
 * parameters
 */
#ifndef CAIRN_CODEC_SFIELDS_H
#define CAIRN_CODEC_SFIELDS_H

#include "base/bytes.h"

#define SF_LEN_MAX   4096
#define SF_NODES_MAX 64

enum sf_type { SF_INTEGER, SF_DECIMAL, SF_STRING, SF_TOKEN, SF_BYTES, SF_BOOLEAN, SF_LIST };

/* A member of a dictionary, an item of an inner list or a parameter; borrows from the input. */
struct sf_node {
    enum sf_type type;
    struct bytes key;       /* of a member or parameter */
    struct bytes text;      /* as it is written; of strings and byte sequences what stands between
                               the delimiters, escapes and base64 as they are */
    int64_t number;         /* of integers and booleans */
    struct sf_node *items;  /* of an inner list: the first */
    struct sf_node *params; /* the first */
    struct sf_node *next;   /* the one beside it */
};

struct sf_dictionary {
    struct sf_node *members; /* the first, or NULL */
    size_t count;            /* nodes in use */
    struct sf_node nodes[SF_NODES_MAX];
};

/* Reads a field value, or several of one name joined with commas; an empty one is an empty
 * dictionary. *out holds pointers into itself: not to be copied. */
must_use enum err sf_dictionary_parse(struct sf_dictionary *out, struct bytes input);

/* The one of this key in a list of members or parameters, or NULL. */
const struct sf_node *sf_find(const struct sf_node *first, const char *key);
/* Whether the node is a string of just this text, which holds no quote and no backslash. */
bool sf_is(const struct sf_node *node, const char *text);
/* Appends the bytes of a byte sequence. ERR_TYPE if it is none. */
must_use enum err sf_bytes_append(struct buf *out, const struct sf_node *node);
/* Appends an item or inner list with its parameters as RFC 8941 section 4.1 serialises it. */
void sf_write(struct buf *out, const struct sf_node *node);

#endif
