#include "order/comet/rpc.h"

#include "codec/text.h"
#include "order/comet/engine.h"
#include "order/comet/rpc_read.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MAX 16 /* connections that are kept */

struct rpc {
    int home;
    char socket[64]; /* by way of `home`: a socket's path has to be short */
    struct curl_slist *headers;
    pthread_mutex_t lock;
    CURL *idle[IDLE_MAX];
    size_t idle_count;
};

enum err rpc_new(struct rpc **out, const char *home, struct why *why)
{
    BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
    int folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return why_say(why, ERR_IO, "engine", home, "is not a folder", NULL);
    }
    struct rpc *rpc = mem_zalloc(sizeof *rpc);
    rpc->home = folder;
    snprintf(rpc->socket, sizeof rpc->socket, "/proc/self/fd/%d/" ENGINE_RPC_SOCKET, folder);
    rpc->headers = curl_slist_append(NULL, "Content-Type: application/json");
    /* Without asking before a large body whether it is welcome. */
    struct curl_slist *both = curl_slist_append(rpc->headers, "Expect:");
    BUG_ON(both == NULL);
    rpc->headers = both;
    pthread_mutex_init(&rpc->lock, NULL);
    *out = rpc;
    return OK;
}

void rpc_free(struct rpc *rpc)
{
    if (rpc) {
        for (size_t i = 0; i < rpc->idle_count; i++) {
            curl_easy_cleanup(rpc->idle[i]);
        }
        curl_slist_free_all(rpc->headers);
        pthread_mutex_destroy(&rpc->lock);
        close(rpc->home);
        free(rpc);
    }
}

static CURL *take_handle(struct rpc *rpc)
{
    pthread_mutex_lock(&rpc->lock);
    CURL *curl = rpc->idle_count > 0 ? rpc->idle[--rpc->idle_count] : NULL;
    pthread_mutex_unlock(&rpc->lock);
    if (!curl) {
        curl = curl_easy_init();
        BUG_ON(curl == NULL);
    }
    return curl;
}

static void give_handle(struct rpc *rpc, CURL *curl)
{
    pthread_mutex_lock(&rpc->lock);
    bool kept = rpc->idle_count < IDLE_MAX;
    if (kept) {
        rpc->idle[rpc->idle_count++] = curl;
    }
    pthread_mutex_unlock(&rpc->lock);
    if (!kept) {
        curl_easy_cleanup(curl);
    }
}

static size_t take_answer(char *at, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    if (size * count > RPC_ANSWER_MAX - answer->len) {
        return 0;
    }
    buf_put(answer, (struct bytes){(const uint8_t *)at, size * count});
    return size * count;
}

static enum err error_of(CURLcode code, struct why *why)
{
    const char *text = curl_easy_strerror(code);
    if (code == CURLE_WRITE_ERROR) {
        return why_say(why, ERR_CORRUPT, "engine", NULL, "answers too much", NULL);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return why_say(why, ERR_TIMEOUT, "engine", NULL, "does not answer", NULL);
    }
    return why_say(why, ERR_CLOSED, "engine", NULL, text, NULL);
}

/* Sends one request and appends the answer, whatever its status: errors are in it too. */
static enum err call(struct rpc *rpc, struct bytes request, struct buf *answer, struct why *why)
{
    CURL *curl = take_handle(rpc);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, "http://engine/");
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, rpc->socket);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, rpc->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request.len);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)RPC_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(curl);
    give_handle(rpc, curl);
    return code == CURLE_OK ? OK : error_of(code, why);
}

static void put(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

static enum err ask(struct rpc *rpc, struct buf *answer, const char *method, const char *params,
                    struct why *why)
{
    char request[200];
    int len = snprintf(request, sizeof request,
                       "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"%s\",\"params\":{%s}}", method,
                       params);
    BUG_ON(len >= (int)sizeof request);
    return call(rpc, (struct bytes){(const uint8_t *)request, (size_t)len}, answer, why);
}

enum err rpc_broadcast(struct rpc *rpc, struct bytes tx, struct rpc_check *out, struct why *why)
{
    struct buf request = {0};
    struct buf answer = {0};
    buf_reserve(&request, (tx.len + 2) / 3 * 4 + 128);
    put(&request, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"broadcast_tx_sync\",\"params\":{"
                  "\"tx\":\"");
    base64_put(&request, tx);
    put(&request, "\"}}");
    enum err err = call(rpc, buf_bytes(&request), &answer, why);
    err = err == OK ? rpc_read_check(out, buf_bytes(&answer), why) : err;
    buf_clear(&request);
    buf_clear(&answer);
    return err;
}

enum err rpc_commit(struct rpc *rpc, uint64_t height, struct commit *out, struct arena *arena,
                    struct why *why)
{
    char params[48];
    struct buf answer = {0};
    snprintf(params, sizeof params, "\"height\":\"%" PRIu64 "\"", height);
    enum err err = ask(rpc, &answer, "commit", params, why);
    err = err == OK ? rpc_read_commit(out, buf_bytes(&answer), arena, why) : err;
    if (err == OK && out->header.height != height) {
        err = why_sayf(why, ERR_CORRUPT, "height", "is not the one that was asked for", NULL,
                       "%" PRIu64, out->header.height);
    }
    buf_clear(&answer);
    return err;
}

enum err rpc_status(struct rpc *rpc, struct rpc_status *out, struct why *why)
{
    struct buf answer = {0};
    enum err err = ask(rpc, &answer, "status", "", why);
    err = err == OK ? rpc_read_status(out, buf_bytes(&answer), why) : err;
    buf_clear(&answer);
    return err;
}

enum err rpc_net_info(struct rpc *rpc, struct rpc_peers *out, struct why *why)
{
    struct buf answer = {0};
    enum err err = ask(rpc, &answer, "net_info", "", why);
    err = err == OK ? rpc_read_net_info(out, buf_bytes(&answer), why) : err;
    buf_clear(&answer);
    return err;
}

enum err rpc_consensus(struct rpc *rpc, struct rpc_consensus *out, struct why *why)
{
    struct buf answer = {0};
    enum err err = ask(rpc, &answer, "consensus_state", "", why);
    err = err == OK ? rpc_read_consensus(out, buf_bytes(&answer), why) : err;
    buf_clear(&answer);
    return err;
}
