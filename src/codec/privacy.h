/* Numbers of people that must not stand in clear text on a ledger: resident ids, bank cards and
 * mobile phones of the People's Republic of China (protocol.md 3). Clients ask before they sign,
 * nodes before they accept.
 *
 * What is looked at is a number that stands alone: a whole run of digits (ASCII or full-width),
 * alone or with letters before or behind it, or digits in the groups that people write (phone
 * 3-4-4, card 4-4-4-4 with a rest, resident id 6-8-4), parted by one blank or hyphen each. Digits
 * mixed with letters, as in a hex digest, are no number. */
#ifndef CAIRN_CODEC_PRIVACY_H
#define CAIRN_CODEC_PRIVACY_H

#include "base/bytes.h"
#include "base/why.h"

enum private_kind { PRIVATE_NONE, PRIVATE_RESIDENT_ID, PRIVATE_BANK_CARD, PRIVATE_PHONE };

/* The first such number in `text`, or PRIVATE_NONE.
 *   resident id  18 characters with the check character of GB 11643-1999 (ISO 7064 MOD 11-2), or
 *                the older 15 digits; a province code and a date that exists
 *   bank card    16 to 19 digits that begin with 3 to 6, with the Luhn check digit (ISO 7812-1)
 *   phone        11 digits that begin with 13 to 19, also behind +86, 0086 or 86 */
enum private_kind private_find(struct bytes text);

/* Bytes of the character at the front of `text` if it is a control character, a line or paragraph
 * separator, a mark that changes the direction of what follows, or a byte order mark; else 0. */
size_t unprintable_len(struct bytes text);

/* What every text that stands in clear must be: one printable line without such a number.
 * ERR_REFUSED, `why` naming the field and the kind, never the number; ERR_FORMAT for ill-formed
 * UTF-8, control characters, line and paragraph separators, and marks that change the direction of
 * what follows (a text must read the same to everybody). */
must_use enum err clear_text_check(const char *field, struct bytes text, struct why *why);

#endif
