/* test_store.c: `larder store`: its words and flags, what it makes of a server's pages, and a real directory. */
#include "fake_server.h"
#include "run.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <larder/base/list.h>
#include <larder/storage/store.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

/* ── words ── */

Test(cli_store, alone_it_lists_what_there_is)
{
    static const char *const names[] = { "info", "verify", "list" };
    struct ran               alone = run_command(ARGS("store")), help = run_command(ARGS("help", "store"));

    cr_expect_eq(alone.code, 0);
    for (size_t i = 0; i < 3; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n  %-10s ", names[i]);
        cr_expect_not_null(strstr(alone.out, line), "%s", names[i]);
        cr_expect_not_null(strstr(help.out, line), "%s", names[i]);
    }
    cr_expect_not_null(strstr(help.out, "\n  --min-size SIZE "));
    ran_forget(&alone);
    ran_forget(&help);
}

Test(cli_store, mistakes_are_one_line)
{
    expect_run(ARGS("store", "what"), 1, "",
               "larder store: there is no \"what\"; there are info, verify and list\n");
    expect_run(ARGS("store", "info", "/x", "--admin", "/y"), 1, "",
               "larder store: give a directory or --admin, not both\n");
    expect_run(ARGS("store", "info", "--match", "x"), 1, "", "larder store: unknown flag --match\n");
    expect_run(ARGS("store", "list", "/x", "/y"), 1, "", "larder store: unexpected argument \"/y\"\n");
    expect_run(ARGS("store", "list", "--admin", "/x", "--limit", "0"), 1, "",
               "larder store: --limit takes a number from 1 on, not \"0\"\n");
    expect_run(ARGS("store", "list", "--admin", "/x", "--min-size", "10"), 1, "", NULL);
    expect_run(ARGS("store", "list", "/no/such/folder"), 1, "",
               "larder store: cannot open the directory /no/such/folder: No such file or directory\n");
}

/* ── a server's pages ── */

/* Runs `store` with these arguments against one page; what was asked is compared too. */
static void
expect_page(char *word, char *flag, char *value, const char *body, const char *asked, int code,
            const char *out)
{
    struct fake_server server;
    char              *answer = fake_answer("200 OK", body), line[256];

    fake_server_open(&server, answer);
    expect_run(ARGS("store", word, "--admin", server.path, flag, value), code, out, "");
    fake_server_close(&server);
    snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", asked);
    cr_expect(span_starts(text_span(&server.asked), span_of_text(line)), "%s", text_cstr(&server.asked));
    text_fini(&server.asked);
    free(answer);
}

#define OBJECTS                                                                                              \
    "{\"objects\":[{\"key\":\"http://a.example/x\",\"size\":4096,\"body\":4000,\"age\":65,\"remaining\":30," \
    "\"kind\":\"object\",\"status\":200},"                                                                   \
    "{\"key\":\"http://a.example:8080/y\",\"size\":1024,\"age\":3,\"remaining\":0,\"kind\":\"object\","      \
    "\"status\":404,\"variant\":\"accept: z\"},"                                                             \
    "{\"key\":\"http://b.example/img/1\",\"size\":2048,\"age\":3,\"remaining\":-4,\"kind\":\"variants\"},"   \
    "{\"key\":\"odd\",\"size\":9}],\"cursor\":null}"
#define HEAD "      SIZE      AGE     LEFT  STATUS  KEY\n"
#define LINE_X "  4.00 KiB    1m 5s      30s     200  http://a.example/x\n"
#define LINE_Y "  1.00 KiB       3s  expired     404  http://a.example:8080/y [accept: z]\n"
#define LINE_1 "  2.00 KiB       3s  expired       -  http://b.example/img/1 (variants)\n"
#define LINE_ODD "       9 B       0s  expired       -  odd\n"

static void
expect_list(char *flag, char *value, const char *out)
{
    expect_page("list", flag, value, OBJECTS, "/v1/store/objects?limit=256", 0, out);
}

Test(cli_store, a_list_for_people)
{
    expect_list(NULL, NULL, HEAD LINE_X LINE_Y LINE_1 LINE_ODD);
}

Test(cli_store, a_list_by_pattern)
{
    expect_list("--match", "http://*.example/*", HEAD LINE_X LINE_1);
    expect_list("--match", "*/img/?", HEAD LINE_1);
    expect_list("--match", "nothing", HEAD);
}

Test(cli_store, a_list_by_host)
{
    expect_list("--host", "A.example", HEAD LINE_X LINE_Y);
    expect_list("--host", "a.example:8080", HEAD LINE_Y);
    expect_list("--host", "example", HEAD);
    expect_list("--host", "a.exampl", HEAD);
}

Test(cli_store, a_list_by_size_and_age)
{
    expect_list("--min-size", "2k", HEAD LINE_X LINE_1);
    expect_list("--expired", NULL, HEAD LINE_Y LINE_1 LINE_ODD);
    expect_list("--limit", "2", HEAD LINE_X LINE_Y);
}

Test(cli_store, a_list_for_programs)
{
    expect_page("list", "--json", NULL, "{\"objects\":[{\"key\":\"a\"},{\"key\":\"b\"}],\"cursor\":null}",
                "/v1/store/objects?limit=256", 0, "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
}

#define CHECKED "\"checked\":{\"segments\":3,\"records\":1200,\"bytes\":4096,\"unsealed\":0},\"cursor\":null}"
#define DAMAGE                                                                                               \
    "{\"damage\":[{\"file\":\"shard-00.dat\",\"segment\":3,\"offset\":77,\"what\":\"the body of a "          \
    "record\",\"key\":\"http://a/x\"},{\"file\":\"super.A\",\"offset\":0,\"what\":\"the "                    \
    "superblock\"}],\"more\":2," CHECKED

Test(cli_store, verify_that_finds_nothing)
{
    expect_page("verify", NULL, NULL, "{\"damage\":[],\"more\":0," CHECKED, "/v1/store/verify", 0,
                "nothing is damaged; checked 3 segments, 1,200 records, 4.00 KiB\n");
}

Test(cli_store, verify_that_finds_damage)
{
    expect_page("verify", NULL, NULL, DAMAGE, "/v1/store/verify", 1,
                "shard-00.dat: segment 3, offset 77: the body of a record: http://a/x\n"
                "super.A: offset 0: the superblock\n"
                "and 2 more in this segment\n"
                "4 damaged; checked 3 segments, 1,200 records, 4.00 KiB\n");
}

Test(cli_store, an_answer_of_another_shape)
{
    expect_page("list", NULL, NULL, "[]", "/v1/store/objects?limit=256", 0, HEAD);
    expect_page("verify", NULL, NULL, "{}", "/v1/store/verify", 0,
                "nothing is damaged; checked 0 segments, 0 records, 0 B\n");
    expect_page("info", NULL, NULL, "{}", "/v1/store/info", 0, NULL);
}

/* ── a directory ── */

static char folder[32];

static void
make_folder(void)
{
    strcpy(folder, "/tmp/larder-cli-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void
remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(cli_store_directory, .init = make_folder, .fini = remove_folder);

struct put {
    struct store_job job;
    sem_t            done;
};

static void
append(struct store_job *job, struct store_writer *writer)
{
    struct put         *put = CONTAINER_OF(job, struct put, job);
    struct record_parts parts = { .key = { .digest = { 0, 1 }, .text = SPAN("http://a/one") },
                                  .created = clock_wall(),
                                  .expires = wall_add(clock_wall(), 3600 * NSEC_PER_SEC) };

    cr_assert_eq(writer_append(writer, &parts), ERR_NONE);
    sem_post(&put->done);
}

static struct store *
open_store(void)
{
    struct store_config config = { .directory = folder, .size = STORE_SIZE_MIN, .readers = 1 };
    struct put          put = { .job = { .run = append } };
    struct store       *store;
    struct fault        fault;

    cr_assert_eq(store_open(&store, &config, &fault), ERR_NONE, "%s", fault.text);
    sem_init(&put.done, 0, 0);
    cr_assert_eq(store_submit(store, (struct digest){ 0, 1 }, &put.job), ERR_NONE);
    sem_wait(&put.done);
    sem_destroy(&put.done);
    return store;
}

Test(cli_store_directory, all_three)
{
    struct store *store = open_store();
    store_close(&store);
    struct ran info = run_command(ARGS("store", "info", folder));
    cr_expect_eq(info.code, 0);
    cr_expect_not_null(strstr(info.out, "format 2, policy sc, stopped in order\n"), "%s", info.out);
    cr_expect_not_null(strstr(info.out, "\n  objects                     1\n"), "%s", info.out);
    ran_forget(&info);
    struct ran list = run_command(ARGS("store", "list", folder, "--host", "a"));
    cr_expect_eq(list.code, 0);
    cr_expect_not_null(strstr(list.out, "  -  http://a/one\n"), "%s", list.out);
    ran_forget(&list);
    expect_run(ARGS("store", "verify", folder), 0,
               "nothing is damaged; checked 1 segments, 1 records, 128 B\n", "");
    expect_run(ARGS("store", "verify", folder, "--json"), 0,
               "{\"damaged\":0,\"checked\":{\"segments\":1,\"records\":1,\"bytes\":128,\"unsealed\":0}}\n",
               "");
}

Test(cli_store_directory, in_use)
{
    struct store *store = open_store();
    char          line[512];

    snprintf(
        line, sizeof line,
        "larder store: the cache directory %s is in use by process %ld: while it runs, ask it: leave the "
        "directory out, or give --admin PATH\n",
        folder, (long)getpid());
    expect_run(ARGS("store", "verify", folder), 1, "", line);
    store_close(&store);
}

Test(cli_store_directory, no_store)
{
    char line[128];
    snprintf(line, sizeof line, "larder store: %s holds no store of larder\n", folder);
    expect_run(ARGS("store", "list", folder), 1, "", line);
}
