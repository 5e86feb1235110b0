/* The server of order/comet/abci_server.h, asked by an engine of ours over its socket. */
#include "abci_engine.h"

#include "order/comet/abci_server.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

/* An application that counts calls and says what it was asked. */
struct app {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned closed;
    enum err last; /* with which the last connection ended */
    char problem[192];
    unsigned holding; /* calls that wait in check_tx */
    bool let_go;
    char dir[64];
    int dir_fd;
    struct abci_server *server;
};

static enum err app_info(void *context, const struct abci_info *info, struct abci_info_answer *out,
                         struct arena *arena, struct why *why)
{
    (void)context;
    (void)why;
    *out = (struct abci_info_answer){.data = arena_copy(arena, info->version), .height = 7};
    return OK;
}

static enum err app_init_chain(void *context, const struct abci_init_chain *init,
                               struct abci_init_answer *out, struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    if (init->chain.len == 0) {
        return why_say(why, ERR_MISMATCH, "chain_id", "", "is another ledger's", "Fix it.");
    }
    out->app_hash = init->chain;
    return OK;
}

static enum err app_query(void *context, const struct abci_query *query,
                          struct abci_query_answer *out, struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    (void)why;
    *out = (struct abci_query_answer){.code = 3, .value = query->path, .height = query->height};
    return OK;
}

/* A transaction "hold" waits until the test lets it go. */
static enum err app_check_tx(void *context, const struct abci_check_tx *check,
                             struct abci_result *out, struct arena *arena, struct why *why)
{
    struct app *app = context;
    (void)arena;
    (void)why;
    pthread_mutex_lock(&app->lock);
    if (bytes_equal(check->tx, bytes_text("hold"))) {
        app->holding++;
        pthread_cond_broadcast(&app->changed);
        while (!app->let_go) {
            pthread_cond_wait(&app->changed, &app->lock);
        }
    }
    pthread_mutex_unlock(&app->lock);
    *out = (struct abci_result){.code = check->recheck, .data = check->tx};
    return OK;
}

static enum err app_prepare(void *context, const struct abci_block *block, struct abci_txs *out,
                            struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    (void)why;
    *out = (struct abci_txs){block->tx_count, block->txs};
    return OK;
}

static enum err app_process(void *context, const struct abci_block *block, enum abci_verdict *out,
                            struct arena *arena, struct why *why)
{
    (void)context;
    (void)arena;
    (void)why;
    *out = block->tx_count > 0 ? ABCI_ACCEPT : ABCI_REJECT;
    return OK;
}

static enum err app_finalize(void *context, const struct abci_block *block,
                             struct abci_finalized *out, struct arena *arena, struct why *why)
{
    (void)context;
    (void)why;
    struct abci_result *results = arena_array(arena, block->tx_count + 1, sizeof *results);
    for (size_t i = 0; i < block->tx_count; i++) {
        results[i].data = block->txs[i];
    }
    *out = (struct abci_finalized){
        .result_count = block->tx_count, .results = results, .app_hash = block->hash};
    return OK;
}

static enum err app_commit(void *context, uint64_t *retain_height, struct why *why)
{
    (void)context;
    (void)why;
    *retain_height = 5;
    return OK;
}

static void app_closed(void *context, enum err err, const struct why *why)
{
    struct app *app = context;
    pthread_mutex_lock(&app->lock);
    app->closed++;
    app->last = err;
    snprintf(app->problem, sizeof app->problem, "%s", why->problem);
    pthread_cond_broadcast(&app->changed);
    pthread_mutex_unlock(&app->lock);
}

static struct abci_handler handler_of(struct app *app)
{
    return (struct abci_handler){app,         app_info,    app_init_chain, app_query,  app_check_tx,
                                 app_prepare, app_process, app_finalize,   app_commit, app_closed};
}

static int app_start(void **state)
{
    struct app *app = mem_zalloc(sizeof *app);
    pthread_mutex_init(&app->lock, NULL);
    pthread_cond_init(&app->changed, NULL);
    snprintf(app->dir, sizeof app->dir, "/tmp/cairn-abci-XXXXXX");
    CHECK(mkdtemp(app->dir) != NULL);
    app->dir_fd = open(app->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct abci_handler handler = handler_of(app);
    struct why why;
    CHECK_OK(abci_server_start(&app->server, app->dir_fd, "abci.sock", &handler, &why));
    *state = app;
    return 0;
}

static int app_stop(void **state)
{
    struct app *app = *state;
    if (app->server != NULL) {
        abci_server_stop(app->server);
    }
    struct stat there;
    CHECK(fstatat(app->dir_fd, "abci.sock", &there, 0) != 0);
    close(app->dir_fd);
    rmdir(app->dir);
    pthread_cond_destroy(&app->changed);
    pthread_mutex_destroy(&app->lock);
    free(app);
    return 0;
}

/* Waits until so many connections have ended, and gives how the last one did. */
static enum err wait_closed(struct app *app, unsigned count)
{
    pthread_mutex_lock(&app->lock);
    while (app->closed < count) {
        pthread_cond_wait(&app->changed, &app->lock);
    }
    enum err last = app->last;
    pthread_mutex_unlock(&app->lock);
    return last;
}

static void every_call_reaches_the_application_and_its_answer_the_engine(void **state)
{
    struct app *app = *state;
    struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_answer answer;
    struct abci_request request = {.kind = ABCI_ECHO, .echo = bytes_text("hello")};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_BYTES(answer.text, bytes_text("hello"));
    request = (struct abci_request){.kind = ABCI_INFO, .info.version = bytes_text("0.39.0")};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_BYTES(answer.text, bytes_text("0.39.0"));
    CHECK_UINT(answer.height, 7);
    request = (struct abci_request){.kind = ABCI_INIT_CHAIN, .init_chain.chain = bytes_text("c")};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_BYTES(answer.app_hash, bytes_text("c"));
    request =
        (struct abci_request){.kind = ABCI_QUERY, .query = {.path = bytes_text("/p"), .height = 9}};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK(answer.code == 3 && answer.height == 9 && bytes_equal(answer.value, bytes_text("/p")));
    request = (struct abci_request){.kind = ABCI_CHECK_TX,
                                    .check_tx = {.tx = bytes_text("tx"), .recheck = true}};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK(answer.code == 1 && bytes_equal(answer.value, bytes_text("tx")));
    request = (struct abci_request){.kind = ABCI_LIST_SNAPSHOTS};
    CHECK(abci_engine_call(&engine, &request, &answer));
    request = (struct abci_request){.kind = ABCI_FLUSH};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK(abci_engine_next(&engine, &answer) && answer.number == ABCI_FLUSH + 1);
    abci_engine_close(&engine);
    CHECK_ERR(wait_closed(app, 1), ERR_CLOSED);
}

static void a_block_goes_through_proposal_and_commit(void **state)
{
    struct app *app = *state;
    struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_answer answer;
    struct bytes txs[] = {bytes_text("one"), BYTES_NONE, bytes_text("two")};
    struct abci_request request = {
        .kind = ABCI_PREPARE_PROPOSAL,
        .block = {.max_tx_bytes = 100, .tx_count = 3, .txs = txs, .height = 2}};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_UINT(answer.tx_count, 3);
    CHECK_BYTES(answer.txs[2], txs[2]);
    request.kind = ABCI_PROCESS_PROPOSAL;
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_UINT(answer.verdict, ABCI_ACCEPT);
    request.block.tx_count = 0;
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_UINT(answer.verdict, ABCI_REJECT);
    request.kind = ABCI_FINALIZE_BLOCK;
    request.block.tx_count = 3;
    request.block.hash = bytes_text("hash");
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_UINT(answer.result_count, 3);
    CHECK_BYTES(answer.results[0].data, txs[0]);
    CHECK_BYTES(answer.app_hash, bytes_text("hash"));
    request = (struct abci_request){.kind = ABCI_COMMIT};
    CHECK(abci_engine_call(&engine, &request, &answer));
    CHECK_UINT(answer.height, 5);
    abci_engine_close(&engine);
}

static void answers_come_in_the_order_of_the_requests_and_at_the_flush(void **state)
{
    struct app *app = *state;
    struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_answer answer;
    char texts[1000][8];
    for (size_t i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof texts[i], "%zu", i);
        struct abci_request request = {.kind = i % 2 == 0 ? ABCI_ECHO : ABCI_CHECK_TX};
        if (i % 2 == 0) {
            request.echo = bytes_text(texts[i]);
        } else {
            request.check_tx.tx = bytes_text(texts[i]);
        }
        abci_engine_put(&engine, &request);
    }
    abci_engine_send(&engine);
    CHECK(recv(engine.fd, texts, 1, MSG_DONTWAIT) < 0);
    abci_engine_flush(&engine);
    for (size_t i = 0; i < 1000; i++) {
        char text[8];
        snprintf(text, sizeof text, "%zu", i);
        CHECK(abci_engine_next(&engine, &answer));
        CHECK_BYTES(i % 2 == 0 ? answer.text : answer.value, bytes_text(text));
    }
    CHECK(abci_engine_next(&engine, &answer) && answer.number == ABCI_FLUSH + 1);
    abci_engine_close(&engine);
}

static void a_request_may_come_in_any_pieces_and_be_large(void **state)
{
    struct app *app = *state;
    struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_answer answer;
    struct buf tx = {0}, bytes = {0};
    memset(buf_grow(&tx, 3u << 20), 'x', 3u << 20);
    struct abci_request request = {.kind = ABCI_CHECK_TX, .check_tx.tx = buf_bytes(&tx)};
    for (unsigned i = 0; i < 3; i++) {
        CHECK(abci_engine_call(&engine, &request, &answer));
        CHECK_BYTES(answer.value, buf_bytes(&tx));
    }
    request = (struct abci_request){.kind = ABCI_ECHO, .echo = bytes_text("in pieces")};
    abci_put_request(&bytes, &request);
    abci_put_request(&bytes, &(struct abci_request){.kind = ABCI_FLUSH});
    for (size_t i = 0; i < bytes.len; i++) {
        CHECK(send(engine.fd, bytes.at + i, 1, 0) == 1);
    }
    CHECK(abci_engine_next(&engine, &answer));
    CHECK_BYTES(answer.text, bytes_text("in pieces"));
    buf_clear(&tx);
    buf_clear(&bytes);
    abci_engine_close(&engine);
}

static void what_is_not_served_is_an_exception_and_the_end(void **state)
{
    struct app *app = *state;
    static const struct {
        struct abci_request request;
        enum err err;
        const char *text;
    } cases[] = {
        {{.kind = ABCI_INSERT_TX}, ERR_UNSUPPORTED, "InsertTx is not used."},
        {{.kind = ABCI_REAP_TXS}, ERR_UNSUPPORTED, "ReapTxs is not used."},
        {{.kind = ABCI_EXTEND_VOTE}, ERR_UNSUPPORTED, "ExtendVote is not used."},
        {{.kind = ABCI_VERIFY_VOTE_EXTENSION}, ERR_UNSUPPORTED, "VerifyVoteExtension is not used"},
        {{.kind = ABCI_OFFER_SNAPSHOT}, ERR_UNSUPPORTED, "OfferSnapshot is not used."},
        {{.kind = ABCI_INIT_CHAIN}, ERR_MISMATCH, "chain_id is another ledger's. Fix it."},
        {{.kind = (enum abci_kind)4}, ERR_UNSUPPORTED, "ABCI request 'unknown' is not supported"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
        struct abci_answer answer;
        CHECK(!abci_engine_call(&engine, &cases[i].request, &answer));
        CHECK_UINT(answer.number, ABCI_EXCEPTION);
        if (answer.text.len < strlen(cases[i].text) ||
            memcmp(answer.text.at, cases[i].text, strlen(cases[i].text)) != 0) {
            fail_msg("exception '%.*s', want '%s'", (int)answer.text.len, answer.text.at,
                     cases[i].text);
        }
        CHECK(!abci_engine_next(&engine, &answer));
        CHECK_ERR(wait_closed(app, i + 1), cases[i].err);
        abci_engine_close(&engine);
    }
}

static void who_sends_on_after_a_failed_call_reads_why_all_the_same(void **state)
{
    struct app *app = *state;
    struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_request failing = {.kind = ABCI_INSERT_TX};
    struct abci_answer answer;
    CHECK(!abci_engine_call(&engine, &failing, &answer));
    CHECK_UINT(answer.number, ABCI_EXCEPTION);
    CHECK(!abci_engine_next(&engine, &answer)); /* nothing more will come */
    CHECK_ERR(wait_closed(app, 1), ERR_UNSUPPORTED);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(send(engine.fd, "\x02\x12", 2, MSG_NOSIGNAL) == 2); /* the head of a flush */
    }
    abci_engine_close(&engine);
}

static void bytes_that_are_no_request_end_the_connection(void **state)
{
    struct app *app = *state;
    static const struct {
        const char *bytes;
        enum err err;
    } cases[] = {
        {"81808020", ERR_RANGE},             /* 64 MiB and a byte */
        {"ffffffffffffffffffff", ERR_RANGE}, /* a length of more than 64 bits */
        {"0005", ERR_FORMAT},                /* an empty message */
        {"03420a01", ERR_TRUNCATED},         /* CheckTx, cut inside */
        {"0342", ERR_TRUNCATED},             /* the connection ends first */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct abci_engine engine = abci_engine_connect(app->dir_fd, "abci.sock");
        buf_put(&engine.out, hex(cases[i].bytes));
        abci_engine_send(&engine);
        shutdown(engine.fd, SHUT_WR);
        CHECK_ERR(wait_closed(app, i + 1), cases[i].err);
        abci_engine_close(&engine);
    }
}

static void connections_run_side_by_side_and_one_too_many_is_turned_away(void **state)
{
    struct app *app = *state;
    struct abci_engine engines[ABCI_CONNECTIONS_MAX];
    struct abci_answer answer;
    struct abci_request hold = {.kind = ABCI_CHECK_TX, .check_tx.tx = bytes_text("hold")};
    struct abci_request echo = {.kind = ABCI_ECHO, .echo = bytes_text("here")};
    for (size_t i = 0; i < ABCI_CONNECTIONS_MAX; i++) {
        engines[i] = abci_engine_connect(app->dir_fd, "abci.sock");
    }
    abci_engine_put(&engines[0], &hold);
    abci_engine_flush(&engines[0]);
    for (size_t i = 1; i < ABCI_CONNECTIONS_MAX; i++) {
        CHECK(abci_engine_call(&engines[i], &echo, &answer));
    }
    struct abci_engine late = abci_engine_connect(app->dir_fd, "abci.sock");
    CHECK_ERR(wait_closed(app, 1), ERR_BUSY);
    CHECK(!abci_engine_next(&late, &answer));
    abci_engine_close(&late);
    /* One that ends makes room for another. */
    abci_engine_close(&engines[1]);
    CHECK_ERR(wait_closed(app, 2), ERR_CLOSED);
    bool served = false;
    while (!served) {
        /* The place is free a moment after the end was told. */
        engines[1] = abci_engine_connect(app->dir_fd, "abci.sock");
        served = abci_engine_call(&engines[1], &echo, &answer);
        if (!served) {
            abci_engine_close(&engines[1]);
        }
    }
    pthread_mutex_lock(&app->lock);
    app->let_go = true;
    pthread_cond_broadcast(&app->changed);
    pthread_mutex_unlock(&app->lock);
    CHECK(abci_engine_next(&engines[0], &answer));
    CHECK_BYTES(answer.value, bytes_text("hold"));
    for (size_t i = 0; i < ABCI_CONNECTIONS_MAX; i++) {
        abci_engine_close(&engines[i]);
    }
}

static void stopping_waits_for_the_call_and_ends_every_connection(void **state)
{
    struct app *app = *state;
    struct abci_engine busy = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_engine idle = abci_engine_connect(app->dir_fd, "abci.sock");
    struct abci_answer answer;
    struct abci_request echo = {.kind = ABCI_ECHO, .echo = bytes_text("here")};
    struct abci_request hold = {.kind = ABCI_CHECK_TX, .check_tx.tx = bytes_text("hold")};
    CHECK(abci_engine_call(&idle, &echo, &answer));
    abci_engine_put(&busy, &hold);
    abci_engine_send(&busy);
    pthread_mutex_lock(&app->lock);
    while (app->holding == 0) {
        pthread_cond_wait(&app->changed, &app->lock);
    }
    app->let_go = true;
    pthread_cond_broadcast(&app->changed);
    pthread_mutex_unlock(&app->lock);
    abci_server_stop(app->server);
    app->server = NULL;
    CHECK_UINT(app->closed, 2);
    CHECK(!abci_engine_next(&idle, &answer));
    abci_engine_close(&busy);
    abci_engine_close(&idle);
}

static void a_socket_left_behind_is_replaced_and_a_file_is_not(void **state)
{
    struct app *app = *state;
    struct abci_handler handler = handler_of(app);
    struct abci_server *server;
    struct why why = {0};
    struct stat there;
    CHECK(fstatat(app->dir_fd, "abci.sock", &there, 0) == 0 && (there.st_mode & 07777) == 0600);
    int fd = openat(app->dir_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    CHECK_ERR(abci_server_start(&server, app->dir_fd, "file", &handler, &why), ERR_EXISTS);
    CHECK(unlinkat(app->dir_fd, "file", 0) == 0);
    CHECK_ERR(abci_server_start(&server, app->dir_fd, "gone/x", &handler, &why), ERR_IO);
    int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s/left", app->dir);
    CHECK(bind(left, (struct sockaddr *)&to, sizeof to) == 0);
    close(left);
    CHECK_OK(abci_server_start(&server, app->dir_fd, "left", &handler, &why));
    abci_server_stop(server);
}

int main(void)
{
#define WITH_APP(test) cmocka_unit_test_setup_teardown(test, app_start, app_stop)
    const struct CMUnitTest tests[] = {
        WITH_APP(every_call_reaches_the_application_and_its_answer_the_engine),
        WITH_APP(a_block_goes_through_proposal_and_commit),
        WITH_APP(answers_come_in_the_order_of_the_requests_and_at_the_flush),
        WITH_APP(a_request_may_come_in_any_pieces_and_be_large),
        WITH_APP(what_is_not_served_is_an_exception_and_the_end),
        WITH_APP(who_sends_on_after_a_failed_call_reads_why_all_the_same),
        WITH_APP(bytes_that_are_no_request_end_the_connection),
        WITH_APP(connections_run_side_by_side_and_one_too_many_is_turned_away),
        WITH_APP(stopping_waits_for_the_call_and_ends_every_connection),
        WITH_APP(a_socket_left_behind_is_replaced_and_a_file_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
