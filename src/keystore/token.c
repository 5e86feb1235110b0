#include "keystore/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_MAX 256

/* ---- modules */

static enum err load_path(struct token *token, const char *path, struct why *why)
{
    token->loaded = p11_kit_module_load(path, 0);
    CK_RV rv = token->loaded ? p11_kit_module_initialize(token->loaded) : CKR_GENERAL_ERROR;
    if (rv == CKR_OK) {
        return OK;
    }
    if (token->loaded) {
        p11_kit_module_release(token->loaded);
        token->loaded = NULL;
    }
    return why_say(why, ERR_NOT_FOUND, "PKCS#11 module", path, "can't be loaded",
                   "Check module-path, and what the module itself needs (its configuration).");
}

static enum err load_configured(struct token *token, struct why *why)
{
    token->configured = p11_kit_modules_load_and_initialize(0);
    return token->configured
               ? OK
               : why_say(why, ERR_NOT_FOUND, "PKCS#11 modules", NULL, "can't be loaded",
                         "Check p11-kit's configuration, or name the module by module-path=.");
}

static bool module_fits(CK_FUNCTION_LIST *module, const P11KitUri *uri)
{
    const char *wanted = p11_kit_uri_get_module_name(uri);
    char *name = wanted ? p11_kit_module_get_name(module) : NULL;
    bool named = !wanted || p11_kit_uri_get_module_path(uri) || (name && strcmp(name, wanted) == 0);
    free(name);
    CK_INFO info;
    return named && module->C_GetInfo(&info) == CKR_OK &&
           p11_kit_uri_match_module_info(uri, &info) == 1;
}

/* ---- tokens */

/* How many tokens fit, and the last of them. */
struct search {
    P11KitUri *uri;
    size_t count;
    char names[128]; /* of all, as far as they fit in */
};

static void name_token(struct token *token)
{
    const CK_TOKEN_INFO *info = &token->info;
    int label = (int)p11_kit_space_strlen(info->label, sizeof info->label);
    int serial = (int)p11_kit_space_strlen(info->serialNumber, sizeof info->serialNumber);
    snprintf(token->name, sizeof token->name, "%.*s (serial %.*s, slot %lu)", label, info->label,
             serial, info->serialNumber, token->slot);
}

static bool slot_fits(CK_FUNCTION_LIST *module, CK_SLOT_ID slot, P11KitUri *uri,
                      CK_TOKEN_INFO *info)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    CK_SLOT_INFO slot_info;
    return (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
           module->C_GetSlotInfo(slot, &slot_info) == CKR_OK &&
           p11_kit_uri_match_slot_info(uri, &slot_info) == 1 &&
           module->C_GetTokenInfo(slot, info) == CKR_OK &&
           (info->flags & CKF_TOKEN_INITIALIZED) != 0 &&
           p11_kit_uri_match_token_info(uri, info) == 1;
}

static void search_module(struct token *token, struct search *search, CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[SLOT_MAX];
    CK_ULONG count = SLOT_MAX;
    if (!module_fits(module, search->uri) || module->C_GetSlotList(CK_TRUE, NULL, &count) ||
        (count = SLOT_MAX, module->C_GetSlotList(CK_TRUE, slots, &count)) != CKR_OK) {
        return;
    }
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (!slot_fits(module, slots[i], search->uri, &info)) {
            continue;
        }
        token->module = module;
        token->slot = slots[i];
        token->info = info;
        name_token(token);
        size_t len = strlen(search->names);
        snprintf(search->names + len, sizeof search->names - len, "%s%s", len ? ", " : "",
                 token->name);
        search->count++;
    }
}

enum err token_find(struct token *token, P11KitUri *uri, struct why *why)
{
    *token = (struct token){0};
    const char *path = p11_kit_uri_get_module_path(uri);
    TRY(path ? load_path(token, path, why) : load_configured(token, why));
    struct search search = {.uri = uri};
    if (token->loaded) {
        search_module(token, &search, token->loaded);
    }
    for (size_t i = 0; token->configured && token->configured[i]; i++) {
        search_module(token, &search, token->configured[i]);
    }
    if (search.count == 0) {
        return why_say(why, ERR_NOT_FOUND, "token", NULL, "that the URI names is not there",
                       "Plug it in or start it; p11tool --list-tokens or pkcs11-tool -L show what "
                       "there is; module-path= names a module.");
    }
    if (search.count > 1) {
        return why_say(why, ERR_EXISTS, "tokens", search.names, "all fit the URI",
                       "Name one by token= or serial=.");
    }
    return OK;
}

/* ---- sessions */

enum err token_failed(const struct token *token, enum err err, CK_RV rv, const char *doing,
                      struct why *why)
{
    char problem[160];
    snprintf(problem, sizeof problem, "failed to %s: %s (CKR 0x%lx)", doing, p11_kit_strerror(rv),
             rv);
    return why_say(why, err, "token", token->name, problem,
                   "Check that the token is there and in order (pkcs11-tool -L), then try again.");
}

enum err token_begin(struct token *token, bool writable, struct why *why)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
    CK_RV rv = token->module->C_OpenSession(token->slot, flags, NULL, NULL, &token->session);
    if (rv != CKR_OK) {
        token->session = 0;
        return token_failed(token, ERR_IO, rv, "open a session", why);
    }
    return OK;
}

bool token_needs_pin(const struct token *token)
{
    return (token->info.flags & CKF_LOGIN_REQUIRED) != 0 &&
           (token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0;
}

static enum err login_failed(const struct token *token, CK_RV rv, struct why *why)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return why_say(why, ERR_PASSPHRASE, "token", token->name, "refuses the PIN",
                       "Give the user's PIN of this token; too many wrong ones lock it.");
    case CKR_PIN_LOCKED:
        return why_say(why, ERR_PASSPHRASE, "token", token->name, "is locked",
                       "Its security officer has to set a new PIN.");
    default:
        return token_failed(token, ERR_IO, rv, "log in", why);
    }
}

enum err token_login(struct token *token, const char *pin, struct why *why)
{
    if ((token->info.flags & CKF_LOGIN_REQUIRED) == 0) {
        return OK;
    }
    if ((token->info.flags & CKF_USER_PIN_LOCKED) != 0) {
        return login_failed(token, CKR_PIN_LOCKED, why);
    }
    if ((token->info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
        return why_say(why, ERR_PASSPHRASE, "token", token->name,
                       "has one try for its PIN left, which is not risked",
                       "Log in once with the right PIN: pkcs11-tool --login --list-objects.");
    }
    bool ours = token_needs_pin(token);
    /* PKCS#11 takes the PIN without const and leaves it as it is. */
    CK_RV rv =
        token->module->C_Login(token->session, CKU_USER,
                               ours ? (CK_UTF8CHAR *)(uintptr_t)pin : NULL, ours ? strlen(pin) : 0);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? OK : login_failed(token, rv, why);
}

void token_close(struct token *token)
{
    if (token->session) {
        token->module->C_CloseSession(token->session);
    }
    if (token->loaded) {
        p11_kit_module_finalize(token->loaded);
        p11_kit_module_release(token->loaded);
    }
    if (token->configured) {
        p11_kit_modules_finalize_and_release(token->configured);
    }
    *token = (struct token){0};
}
