/* Answers of CometBFT's RPC, as v0.40.0 gave them. */
#include "check.h"

#include "order/comet/rpc_read.h"

#define HASH_A "0B3165153BCD8694C9A6E6A7A96448697E8E8F3D6137C09CB614C3DC30741549"
#define HASH_B "B5181433C9CE1028E88D0D17BD5C8C8CB4D5482255069294DD537A8D6D7FE6E0"
#define EMPTY  "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
#define SIGNATURE \
    "6MKuuC0Gamc//UdUKlcPj+Dnh0riFKg1qhwWrqoW0RODdFbAKA7Z50WAtx4eUdSmo2KZblbmK1hhOPcnFK/oBg=="

static const char commit_2[] =
    "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{\"signed_header\":{\"header\":{\"version\":{"
    "\"block\":\"11\",\"app\":\"1\"},\"chain_id\":\"test-chain-ghl4cw\",\"height\":\"2\",\"time\":"
    "\"2026-11-25T04:41:15.018134848Z\",\"last_block_id\":{\"hash\":\"" HASH_A
    "\",\"parts\":{\"total\":1,\"hash\":"
    "\"E109C685DB947DE733F2D5F407E995BD1203E37C7B1DDE40D7109D54D7484A30\"}},\"last_commit_hash\":"
    "\"9D18369ABF7496ED55EF4BABC6E16A587EDBD99199B32558812C57D0FB889BC1\",\"data_hash\":"
    "\"27B8C228CADDE732AAFC3C29A5A50E636B0DA7BAD219D55364E48C7548005641\",\"validators_hash\":"
    "\"" HASH_B "\",\"next_validators_hash\":\"" HASH_B "\",\"consensus_hash\":"
    "\"27521960C9E6E396E9B8E9C2AB1B23A87D0788CDF5886BF11E359AD5C4A2D27B\",\"app_hash\":"
    "\"0000000000000000\",\"last_results_hash\":\"" EMPTY "\",\"evidence_hash\":\"" EMPTY
    "\",\"proposer_address\":\"0EDB8AD3473E2262684F4ED02CF6745A3B62588C\"},\"commit\":{"
    "\"height\":\"2\",\"round\":0,\"block_id\":{\"hash\":"
    "\"4064F928CD970B991AA278F4BDE1F1573C009B67A8928202A85F5A6402D32C7C\",\"parts\":{\"total\":1,"
    "\"hash\":\"FE9271CDF80801873493D5AAE710A77038BE82951761FCAB4F5FEFDF465942FA\"}},"
    "\"signatures\":[{\"block_id_flag\":2,\"validator_address\":"
    "\"0EDB8AD3473E2262684F4ED02CF6745A3B62588C\",\"timestamp\":\"2026-11-25T04:41:17.94493156Z\","
    "\"signature\":\"" SIGNATURE "\"}]}},\"canonical\":true}}";

static const char status_5[] =
    "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{\"node_info\":{\"id\":"
    "\"35b82fe635dafbc834506f9af09081642d68e47c\",\"network\":\"test-chain-ghl4cw\"},"
    "\"sync_info\":{\"latest_block_hash\":\"" EMPTY "\",\"latest_app_hash\":\"" HASH_A
    "\",\"latest_block_height\":\"5\",\"latest_block_time\":\"2026-11-25T04:41:18.961074613Z\","
    "\"earliest_block_height\":\"1\",\"catching_up\":false}}}";

static const char consensus_6[] =
    "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{\"round_state\":{\"height/round/step\":\"6/1/4\","
    "\"start_time\":\"2026-11-25T04:41:19.066308837Z\",\"proposal_block_hash\":\"" HASH_A
    "\",\"locked_block_hash\":\"\",\"valid_block_hash\":\"\",\"height_vote_set\":[{\"round\":0,"
    "\"prevotes_bit_array\":\"BA{4:____} 0/4 = 0.00\",\"precommits_bit_array\":"
    "\"BA{4:____} 0/4 = 0.00\"},{\"round\":1,\"prevotes_bit_array\":\"BA{4:x_x_} 2/4 = 0.50\","
    "\"precommits_bit_array\":\"BA{4:___x} 1/4 = 0.25\"}],\"proposer\":{\"address\":\"0EDB\","
    "\"index\":3}}}}";

static const char peers_1[] =
    "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{\"listening\":true,\"n_peers\":\"1\",\"peers\":[{"
    "\"node_info\":{\"id\":\"35b82fe635dafbc834506f9af09081642d68e47c\"},\"is_outbound\":true,"
    "\"connection_status\":{\"Duration\":\"61000000000\"},\"remote_ip\":\"10.0.0.7\"}]}}";

/* The text with the first `from` in it become `to`; in memory of the arena. */
static struct bytes changed(struct arena *arena, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    CHECK(at != NULL);
    size_t len = strlen(text) - strlen(from) + strlen(to);
    char *out = arena_alloc(arena, len + 1);
    snprintf(out, len + 1, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return (struct bytes){(const uint8_t *)out, len};
}

static void a_commit_is_read_and_hashes_to_what_was_signed(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct commit commit;
    CHECK_OK(rpc_read_commit(&commit, bytes_text(commit_2), &arena, NULL));
    CHECK_UINT(commit.header.height, 2);
    CHECK_UINT(commit.header.time.nanos, 18134848);
    CHECK_UINT(commit.header.time.seconds, 1795581675);
    CHECK_UINT(commit.header.hashes[COMET_APP].len, 8);
    CHECK_UINT(commit.vote_count, 1);
    CHECK(commit.votes[0].there);
    CHECK_UINT(commit.votes[0].time.nanos, 944931560);
    CHECK_UINT(commit.votes[0].signature.len, 64);
    CHECK_UINT(commit.set.count, 0);
    arena_clear(&arena);
}

static void only_votes_for_the_block_are_there(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct commit commit;
    static const char absent[] = "{\"block_id_flag\":1,\"validator_address\":\"\",\"timestamp\":"
                                 "\"0001-01-01T00:00:00Z\",\"signature\":null},";
    char with[400];
    snprintf(with, sizeof with, "\"signatures\":[%s", absent);
    struct bytes text = changed(&arena, commit_2, "\"signatures\":[", with);
    CHECK_OK(rpc_read_commit(&commit, text, &arena, NULL));
    CHECK_UINT(commit.vote_count, 2);
    CHECK(!commit.votes[0].there && commit.votes[1].there);
    text = changed(&arena, commit_2, "\"block_id_flag\":2", "\"block_id_flag\":3");
    CHECK_OK(rpc_read_commit(&commit, text, &arena, NULL));
    CHECK(!commit.votes[0].there);
    arena_clear(&arena);
}

static void a_commit_that_is_not_its_headers_is_damaged(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"\"height\":\"2\"", "\"height\":\"3\""},
        {"\"height\":\"2\"", "\"height\":\"02\""},
        {"\"height\":\"2\"", "\"height\":\"-2\""},
        {"\"height\":\"2\"", "\"height\":\"18446744073709551616\""},
        {"\"commit\":{\"height\":\"2\"", "\"commit\":{\"height\":\"3\""},
        {"test-chain", "best-chain"},
        {"15.018134848Z", "15.018134849Z"},
        {"15.018134848Z", "15.0181348480Z"},
        {"15.018134848Z", "15.Z"},
        {"15.018134848Z", "61.018134848Z"},
        {"2026-11-25T", "2026-02-30T"},
        {"15.018134848Z", "15.018134848+00:00"},
        {"\"app_hash\":\"0000000000000000\"", "\"app_hash\":\"000000000000000\""},
        {"\"app_hash\":\"0000000000000000\"", "\"app_hash\":\"" HASH_A HASH_A HASH_A "\""},
        {"\"app_hash\":\"0000000000000000\"", "\"app_hash\":7"},
        {"\"block_id_flag\":2", "\"block_id_flag\":4"},
        {"\"block_id_flag\":2", "\"block_id_flag\":0"},
        {"FK/oBg==", "FK/oBg="},
        {"FK/oBg==", "FA=="},
        {"\"round\":0", "\"round\":-1"},
        {"\"hash\":\"4064", "\"hash\":\"5064"},
        {"\"signatures\":[", "\"signatures\":[7,"},
        {"\"signatures\":", "\"signature\":"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct commit commit;
        struct bytes text = changed(&arena, commit_2, changes[i][0], changes[i][1]);
        CHECK_ERR(rpc_read_commit(&commit, text, &arena, NULL), ERR_CORRUPT);
    }
    arena_clear(&arena);
}

static void no_part_of_an_answer_is_one(void **state)
{
    (void)state;
    struct arena arena = {0};
    static struct rpc_peers peers;
    struct commit commit;
    struct rpc_status status;
    struct rpc_consensus consensus;
    for (size_t len = 0; len < strlen(commit_2); len++) {
        struct bytes part = {(const uint8_t *)commit_2, len};
        CHECK_ERR(rpc_read_commit(&commit, part, &arena, NULL), ERR_CORRUPT);
    }
    for (size_t len = 0; len < strlen(status_5); len++) {
        struct bytes part = {(const uint8_t *)status_5, len};
        CHECK_ERR(rpc_read_status(&status, part, NULL), ERR_CORRUPT);
    }
    for (size_t len = 0; len < strlen(consensus_6); len++) {
        struct bytes part = {(const uint8_t *)consensus_6, len};
        CHECK_ERR(rpc_read_consensus(&consensus, part, NULL), ERR_CORRUPT);
    }
    CHECK_ERR(rpc_read_net_info(&peers, bytes_text(commit_2), NULL), ERR_CORRUPT);
    CHECK_ERR(rpc_read_status(&status, changed(&arena, status_5, "}}}", "}}} {}"), NULL),
              ERR_CORRUPT);
    arena_clear(&arena);
}

static void a_status_says_where_the_node_stands(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct rpc_status status;
    CHECK_OK(rpc_read_status(&status, bytes_text(status_5), NULL));
    CHECK(strcmp(status.id, "35b82fe635dafbc834506f9af09081642d68e47c") == 0);
    CHECK_UINT(status.height, 5);
    CHECK_UINT(status.first_height, 1);
    CHECK_UINT(status.time_ms, UINT64_C(1795581678961));
    CHECK_UINT(status.app_hash.at[0], 0x0b);
    CHECK(!status.catching_up);
    struct bytes text = changed(&arena, status_5, HASH_A, "0400000000000000");
    CHECK_OK(rpc_read_status(&status, text, NULL));
    CHECK(hash_is_zero(&status.app_hash));
    text = changed(&arena, status_5, "35b82f", "35b82");
    CHECK_ERR(rpc_read_status(&status, text, NULL), ERR_CORRUPT);
    text = changed(&arena, status_5, ":false", ":0");
    CHECK_ERR(rpc_read_status(&status, text, NULL), ERR_CORRUPT);
    /* Before the first block there is no time. */
    text = changed(&arena, status_5, "2026-11-25T04:41:18.961074613Z", "0001-01-01T00:00:00Z");
    CHECK_OK(rpc_read_status(&status, text, NULL));
    CHECK_UINT(status.time_ms, 0);
    arena_clear(&arena);
}

static void peers_are_named(void **state)
{
    (void)state;
    static struct rpc_peers peers;
    CHECK_OK(rpc_read_net_info(&peers, bytes_text(peers_1), NULL));
    CHECK_UINT(peers.count, 1);
    CHECK(strcmp(peers.at[0].id, "35b82fe635dafbc834506f9af09081642d68e47c") == 0);
    CHECK(strcmp(peers.at[0].address, "10.0.0.7") == 0);
    CHECK(peers.at[0].outbound);
    CHECK_UINT(peers.at[0].connected_ms, 61000);
}

static void a_round_says_who_voted(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct rpc_consensus consensus;
    CHECK_OK(rpc_read_consensus(&consensus, bytes_text(consensus_6), NULL));
    CHECK_UINT(consensus.height, 6);
    CHECK_UINT(consensus.round, 1);
    CHECK_UINT(consensus.step, RPC_PREVOTE);
    CHECK_UINT(consensus.validators, 4);
    CHECK_UINT(consensus.proposer, 3);
    CHECK(consensus.has_proposal && !consensus.is_locked);
    CHECK(consensus.prevoted[0] && !consensus.prevoted[1] && consensus.prevoted[2]);
    CHECK(consensus.precommitted[3] && !consensus.precommitted[0]);
    static const char *const changes[][2] = {
        {"6/1/4", "6/1/9"},
        {"6/1/4", "6/1/0"},
        {"6/1/4", "6/1"},
        {"6/1/4", "6/1/4/1"},
        {"6/1/4", "//"},
        {"6/1/4", "6/7/4"},
        {"BA{4:x_x_}", "BA{4:x_y_}"},
        {"BA{4:x_x_}", "BA{4:x_x"},
        {"BA{4:x_x_}", "AB{4:x_x_}"},
        {"BA{4:x_x_}", "BA{3:x_x}"},
        {"\"index\":3", "\"index\":4"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct bytes text = changed(&arena, consensus_6, changes[i][0], changes[i][1]);
        CHECK_ERR(rpc_read_consensus(&consensus, text, NULL), ERR_CORRUPT);
    }
    arena_clear(&arena);
}

static void errors_have_our_names(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        enum err err;
    } cases[] = {
        {"tx already exists in cache", ERR_EXISTS},
        {"mempool is full: number of txs 10000 (max: 10000)", ERR_BUSY},
        {"mempool is still rechecking after a new committed block", ERR_BUSY},
        {"Tx too large. Max size is 1, but got 2", ERR_RANGE},
        {"endpoint is closed while node is catching up", ERR_UNREACHABLE},
        {"height 99 must be less than or equal to the current blockchain height 5", ERR_NOT_FOUND},
        {"something else", ERR_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[300];
        struct rpc_check check;
        struct why why = {0};
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":\"Internal "
                 "error\",\"data\":\"%s\"}}",
                 cases[i].data);
        CHECK_ERR(rpc_read_check(&check, bytes_text(text), &why), cases[i].err);
        CHECK(strstr(why.problem, cases[i].data) != NULL);
    }
    struct rpc_check check;
    CHECK_ERR(rpc_read_check(&check, bytes_text("{\"result\":null}"), NULL), ERR_NOT_FOUND);
    CHECK_ERR(
        rpc_read_check(&check, bytes_text("{\"result\":{\"code\":4294967296,\"log\":\"\"}}"), NULL),
        ERR_CORRUPT);
    CHECK_OK(rpc_read_check(&check, bytes_text("{\"result\":{\"code\":7,\"log\":\"no\"}}"), NULL));
    CHECK_UINT(check.code, 7);
    CHECK(strcmp(check.log, "no") == 0);
}

static void an_engine_that_is_not_there_is_closed(void **state)
{
    (void)state;
    struct rpc *rpc;
    struct rpc_status status;
    CHECK_ERR(rpc_new(&rpc, "/nowhere", NULL), ERR_IO);
    CHECK_OK(rpc_new(&rpc, ".", NULL));
    CHECK_ERR(rpc_status(rpc, &status, NULL), ERR_CLOSED);
    rpc_free(rpc);
    rpc_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_read_and_hashes_to_what_was_signed),
        cmocka_unit_test(only_votes_for_the_block_are_there),
        cmocka_unit_test(a_commit_that_is_not_its_headers_is_damaged),
        cmocka_unit_test(no_part_of_an_answer_is_one),
        cmocka_unit_test(a_status_says_where_the_node_stands),
        cmocka_unit_test(peers_are_named),
        cmocka_unit_test(a_round_says_who_voted),
        cmocka_unit_test(errors_have_our_names),
        cmocka_unit_test(an_engine_that_is_not_there_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
