#include "codec/privacy.h"

#include <string.h>

/* The longest number that is looked at: 0086 and a phone have 15 digits, a card has 19. */
#define NUMBER_MAX 24
#define GROUPS_MAX 5

/* One run of digits in a word. Longer runs keep their true length and lose their rest. */
struct run {
    uint8_t digits[NUMBER_MAX];
    size_t len;
    bool plain;  /* the word is this run and nothing else */
    bool x;      /* the run is followed by X and then by the word's end */
    uint8_t gap; /* what parts it from the run before: blank or hyphen, else 0 */
};

struct scan {
    const uint8_t *at;
    const uint8_t *end;
};

/* The digit at the front of the text, of either width, or -1. */
static int digit_at(const struct scan *scan, size_t *width)
{
    const uint8_t *at = scan->at;
    if (at < scan->end && *at >= '0' && *at <= '9') {
        *width = 1;
        return *at - '0';
    }
    if (scan->end - at >= 3 && at[0] == 0xef && at[1] == 0xbc && at[2] >= 0x90 && at[2] <= 0x99) {
        *width = 3;
        return at[2] - 0x90;
    }
    return -1;
}

static bool letter_at(const struct scan *scan)
{
    uint8_t lower = scan->at < scan->end ? (uint8_t)(*scan->at | 0x20) : 0;
    return lower >= 'a' && lower <= 'z';
}

static size_t letters_skip(struct scan *scan)
{
    const uint8_t *start = scan->at;
    while (letter_at(scan)) {
        scan->at++;
    }
    return (size_t)(scan->at - start);
}

static void digits_take(struct run *run, struct scan *scan)
{
    size_t width = 0;
    int digit = 0;
    while ((digit = digit_at(scan, &width)) >= 0) {
        if (run->len < NUMBER_MAX) {
            run->digits[run->len] = (uint8_t)digit;
        }
        run->len++;
        scan->at += width;
    }
}

/* Reads one word of letters and digits. False if it holds no number: no digit, or digits in more
 * than one place. */
static bool word_take(struct run *run, struct scan *scan)
{
    size_t width = 0;
    *run = (struct run){0};
    size_t before = letters_skip(scan);
    digits_take(run, scan);
    struct scan tail = *scan;
    size_t behind = letters_skip(scan);
    run->plain = before == 0 && behind == 0;
    run->x = behind == 1 && (*tail.at | 0x20) == 'x';
    bool mixed = digit_at(scan, &width) >= 0;
    while (digit_at(scan, &width) >= 0 || letter_at(scan)) {
        scan->at += letter_at(scan) ? 1 : width;
    }
    return run->len > 0 && !mixed;
}

static unsigned number_of(const uint8_t *digits, size_t len)
{
    unsigned number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number * 10 + digits[i];
    }
    return number;
}

static bool date_exists(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1900 || year > 2099 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* The first two digits of the place where an id was first given (GB/T 2260), and 83 and 91, which
 * residence permits have. */
static bool province_exists(unsigned code)
{
    static const uint8_t codes[] = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34,
                                    35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
                                    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91};
    return memchr(codes, (int)code, sizeof codes) != NULL;
}

/* GB 11643-1999: the weighted sum of all eighteen, X counting 10, is 1 modulo 11. */
static bool is_resident_id18(const uint8_t *digits, bool x)
{
    unsigned sum = x ? 10 : digits[17];
    unsigned weight = 1;
    for (size_t i = 17; i-- > 0;) {
        weight = weight * 2 % 11;
        sum += digits[i] * weight;
    }
    return sum % 11 == 1 && province_exists(number_of(digits, 2)) &&
           date_exists(number_of(digits + 6, 4), number_of(digits + 10, 2),
                       number_of(digits + 12, 2));
}

static bool is_resident_id15(const uint8_t *digits)
{
    return province_exists(number_of(digits, 2)) &&
           date_exists(1900 + number_of(digits + 6, 2), number_of(digits + 8, 2),
                       number_of(digits + 10, 2));
}

static bool is_card(const uint8_t *digits, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = digits[len - 1 - i];
        unsigned doubled = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;
        sum += i % 2 == 0 ? digit : doubled;
    }
    return len >= 16 && len <= 19 && digits[0] >= 3 && digits[0] <= 6 && sum % 10 == 0;
}

static bool is_phone(const uint8_t *digits, size_t len)
{
    static const uint8_t country[] = {0, 0, 8, 6};
    size_t ahead = len - 11;
    if (len < 11 || (ahead != 0 && ahead != 2 && ahead != 4) ||
        memcmp(digits, country + sizeof country - ahead, ahead) != 0) {
        return false;
    }
    return digits[ahead] == 1 && digits[ahead + 1] >= 3;
}

static enum private_kind number_kind(const uint8_t *digits, size_t len, bool x)
{
    if (len > NUMBER_MAX) {
        return PRIVATE_NONE;
    }
    if ((len == 18 && is_resident_id18(digits, false)) ||
        (len == 17 && x && is_resident_id18(digits, true)) ||
        (len == 15 && is_resident_id15(digits))) {
        return PRIVATE_RESIDENT_ID;
    }
    if (is_card(digits, len)) {
        return PRIVATE_BANK_CARD;
    }
    return is_phone(digits, len) ? PRIVATE_PHONE : PRIVATE_NONE;
}

/* Groups that people write; the last run of a resident id may end with X. */
static const struct shape {
    enum private_kind kind;
    uint8_t count;
    uint8_t len[GROUPS_MAX];
} shapes[] = {
    {PRIVATE_PHONE, 3, {3, 4, 4}},
    {PRIVATE_PHONE, 4, {2, 3, 4, 4}},
    {PRIVATE_PHONE, 2, {2, 11}},
    {PRIVATE_BANK_CARD, 4, {4, 4, 4, 4}},
    {PRIVATE_BANK_CARD, 5, {4, 4, 4, 4, 1}},
    {PRIVATE_BANK_CARD, 5, {4, 4, 4, 4, 2}},
    {PRIVATE_BANK_CARD, 5, {4, 4, 4, 4, 3}},
    {PRIVATE_RESIDENT_ID, 3, {6, 8, 4}},
    {PRIVATE_RESIDENT_ID, 3, {6, 8, 3}},
    {PRIVATE_RESIDENT_ID, 4, {6, 4, 4, 4}},
    {PRIVATE_RESIDENT_ID, 4, {6, 4, 4, 3}},
};

/* Whether the newest runs, oldest first in `runs`, are written in this shape and hold its number.
 */
static bool shape_matches(const struct shape *shape, const struct run *runs, size_t count)
{
    uint8_t digits[NUMBER_MAX];
    size_t len = 0;
    if (count < shape->count) {
        return false;
    }
    const struct run *first = runs + count - shape->count;
    for (size_t i = 0; i < shape->count; i++) {
        bool last = i + 1 == shape->count;
        if (first[i].len != shape->len[i] || (!first[i].plain && !(last && first[i].x)) ||
            (i > 0 && (first[i].gap == 0 || first[i].gap != first[1].gap))) {
            return false;
        }
        memcpy(digits + len, first[i].digits, first[i].len);
        len += first[i].len;
    }
    return number_kind(digits, len, first[shape->count - 1].x) == shape->kind;
}

static enum private_kind runs_kind(const struct run *runs, size_t count)
{
    const struct run *newest = &runs[count - 1];
    enum private_kind kind = number_kind(newest->digits, newest->len, newest->x);
    for (size_t i = 0; kind == PRIVATE_NONE && i < sizeof shapes / sizeof *shapes; i++) {
        if (shape_matches(&shapes[i], runs, count)) {
            kind = shapes[i].kind;
        }
    }
    return kind;
}

enum private_kind private_find(struct bytes text)
{
    struct run runs[GROUPS_MAX]; /* the newest last */
    size_t count = 0;
    if (text.len == 0) {
        return PRIVATE_NONE;
    }
    struct scan scan = {text.at, text.at + text.len};
    while (scan.at < scan.end) {
        const uint8_t *start = scan.at;
        struct run run;
        if (word_take(&run, &scan)) {
            bool parted = start - text.at >= 1 && (start[-1] == ' ' || start[-1] == '-');
            run.gap = parted ? start[-1] : 0;
            if (count == GROUPS_MAX) {
                memmove(runs, runs + 1, (--count) * sizeof *runs);
            }
            runs[count++] = run;
            enum private_kind kind = runs_kind(runs, count);
            if (kind != PRIVATE_NONE) {
                return kind;
            }
        } else if (scan.at > start) {
            count = 0;
        } else if ((*scan.at != ' ' && *scan.at != '-') ||
                   (count > 0 && (start[-1] == ' ' || start[-1] == '-'))) {
            count = 0;
            scan.at++;
        } else {
            scan.at++;
        }
    }
    return PRIVATE_NONE;
}

/* The character of two or three bytes at the front; 0 for another length, or if it is cut off. */
static unsigned character_first(struct bytes text)
{
    const uint8_t *at = text.at;
    if (text.len >= 2 && (*at & 0xe0) == 0xc0) {
        return ((at[0] & 0x1fu) << 6) | (at[1] & 0x3fu);
    }
    if (text.len >= 3 && (*at & 0xf0) == 0xe0) {
        return ((at[0] & 0x0fu) << 12) | ((at[1] & 0x3fu) << 6) | (at[2] & 0x3fu);
    }
    return 0;
}

size_t unprintable_len(struct bytes text)
{
    unsigned character = character_first(text);
    if (text.len > 0 && (text.at[0] < 0x20 || text.at[0] == 0x7f)) {
        return 1;
    }
    if ((character >= 0x80 && character < 0xa0) || character == 0x61c) {
        return 2;
    }
    bool bad = character == 0x200e || character == 0x200f ||
               (character >= 0x2028 && character <= 0x202e) ||
               (character >= 0x2066 && character <= 0x2069) || character == 0xfeff;
    return bad ? 3 : 0;
}

static bool is_printable(struct bytes text)
{
    if (!bytes_is_utf8(text)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (unprintable_len((struct bytes){text.at + i, text.len - i}) > 0) {
            return false;
        }
    }
    return true;
}

enum err clear_text_check(const char *field, struct bytes text, struct why *why)
{
    static const char *const problems[] = {
        [PRIVATE_NONE] = "",
        [PRIVATE_RESIDENT_ID] = "holds a resident id number in clear",
        [PRIVATE_BANK_CARD] = "holds a bank card number in clear",
        [PRIVATE_PHONE] = "holds a mobile phone number in clear",
    };
    if (!is_printable(text)) {
        return why_say(why, ERR_FORMAT, field, NULL, "is not one line of printable text", NULL);
    }
    enum private_kind kind = private_find(text);
    if (kind == PRIVATE_NONE) {
        return OK;
    }
    return why_say(why, ERR_REFUSED, field, NULL, problems[kind],
                   "Nothing is ever erased from a ledger: leave the number out, or put it into "
                   "the deposited file.");
}
