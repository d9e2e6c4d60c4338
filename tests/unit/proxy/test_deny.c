/* test_deny.c: what a site answers to nobody, in all disguises; files that are read again while others ask. */
#include <larder/proxy/deny.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ── paths ── */

static void
expect_plain(const char *path, const char *plain)
{
    char       *out = malloc(strlen(path) + 1); /* exactly as much as it may use, for the address sanitizer */
    struct span got;

    cr_assert_not_null(out);
    got = deny_plain_path(span_of_text(path), out);
    cr_expect(span_equal(got, span_of_text(plain)), "%s gives %.*s", path, SPAN_ARG(got));
    cr_expect_leq(got.len, strlen(path));
    free(out);
}

Test(proxy_deny, a_path_as_an_origin_may_understand_it)
{
    expect_plain("/", "/");
    expect_plain("/a/b", "/a/b");
    expect_plain("/a/b/", "/a/b/");
    expect_plain("//a///b", "/a/b");
    expect_plain("/./a/./b/.", "/a/b/");
    expect_plain("/a/../b", "/b");
    expect_plain("/a/..", "/");
    expect_plain("/../../a", "/a");
    expect_plain("/a/b/../../../c", "/c");
    expect_plain("/%2e%2E/%61", "/a");
    expect_plain("/a%2f..%2Fb", "/b");
    expect_plain("/%252e", "/%2e");
    expect_plain("/%", "/%");
    expect_plain("/%4", "/%4");
    expect_plain("/%zz", "/%zz");
    expect_plain("/...", "/...");
    expect_plain("/.git", "/.git");
    expect_plain("*", "*");
    expect_plain("", "");
}

struct asked {
    struct slab  slab;
    struct arena arena;
    struct field fields[4];
    struct head  head;
};

static const char *
why(const struct deny *deny, const char *method, const char *path, const char *host)
{
    struct network network;
    struct fault   fault;
    struct asked   asked;

    cr_assert_eq(network_parse(span_of_text(host), &network, &fault), ERR_NONE);
    slab_init(&asked.slab, 4096, 0);
    arena_init(&asked.arena, &asked.slab, 4096);
    head_init(&asked.head, asked.fields, 4);
    asked.head.method_text = span_of_text(method);
    cr_assert(head_add(&asked.head, SPAN("User-Agent"), SPAN("Some Bad Bot/1"), FIELD_USER_AGENT));
    cr_assert(head_add(&asked.head, SPAN("x-odd"), SPAN("1"), FIELD_OTHER));
    cr_assert(head_add(&asked.head, SPAN("x-odd"), SPAN("2"), FIELD_OTHER));
    const struct deny_question question = { .host = &network,
                                            .head = &asked.head,
                                            .path = span_of_text(path) };
    const char                *reason = deny_why(deny, &question, &asked.arena);
    arena_reset(&asked.arena);
    slab_fini(&asked.slab);
    return reason == NULL ? "no" : reason;
}

Test(proxy_deny, paths_in_every_disguise)
{
    struct span paths[] = { SPAN("/.git/*"), SPAN("/.env"), SPAN("*.php~") };
    struct deny deny = { .paths = paths, .path_count = 3 };

    for (const char *const *path =
             (const char *const[]){ "/.git/config", "/.env", "/a/b.php~", "/%2egit/config", "//.git/config",
                                    "/./.git/x", "/a/../.env", "/a/..%2f.env", "/x.ph%70~", "/.git%2Fconfig",
                                    NULL };
         *path; path++)
        cr_expect_str_eq(why(&deny, "GET", *path, "127.0.0.1"), "denied-path", "%s", *path);
    for (const char *const *path = (const char *const[]){ "/", "/git/config", "/.envy", "/a.php", "/.git",
                                                          "/%2525egit", "*", NULL };
         *path; path++)
        cr_expect_str_eq(why(&deny, "GET", *path, "127.0.0.1"), "no", "%s", *path);
}

Test(proxy_deny, methods_fields_and_addresses)
{
    struct span       methods[] = { SPAN("TRACE"), SPAN("PUT") };
    struct deny_field agent[] = { { SPAN("user-AGENT"), SPAN("*bad bot*") } },
                      odd[] = { { SPAN("X-Odd"), SPAN("2") } },
                      absent[] = { { SPAN("X-Absent"), SPAN("*") } };
    struct network list[1];
    struct fault   fault;
    struct deny    by_method = { .methods = methods, .method_count = 2 },
                by_agent = { .fields = agent, .field_count = 1 },
                by_odd = { .fields = odd, .field_count = 1 },
                by_absent = { .fields = absent, .field_count = 1 }, by_address = { 0 };

    cr_assert_eq(network_parse(SPAN("10.0.0.0/8"), list, &fault), ERR_NONE);
    cr_assert_eq(networks_create(&by_address.from, list, 1), ERR_NONE);
    cr_expect_str_eq(why(&by_method, "PUT", "/", "::1"), "denied-method");
    cr_expect_str_eq(why(&by_method, "GET", "/", "::1"), "no");
    cr_expect_str_eq(why(&by_method, "put", "/", "::1"), "no");
    cr_expect_str_eq(why(&by_agent, "GET", "/", "::1"), "denied-field");
    cr_expect_str_eq(why(&by_odd, "GET", "/", "::1"), "denied-field", "the second line counts");
    cr_expect_str_eq(why(&by_absent, "GET", "/", "::1"), "no");
    cr_expect_str_eq(why(&by_address, "GET", "/", "10.1.2.3"), "denied-address");
    cr_expect_str_eq(why(&by_address, "GET", "/", "11.1.2.3"), "no");
    networks_destroy(&by_address.from);
}

/* ── files ── */

static void
write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static char *
make_file(char out[static 32], const char *text)
{
    strcpy(out, "/tmp/larder-test-XXXXXX");
    int fd = mkstemp(out);
    cr_assert(fd >= 0);
    close(fd);
    write_file(out, text);
    return out;
}

static bool
has(struct blocklists *lists, struct generation **held, unsigned file, const char *host)
{
    struct network network;
    struct fault   fault;

    cr_assert_eq(network_parse(span_of_text(host), &network, &fault), ERR_NONE);
    blocklist_renew(lists, held);
    return blocklist_has(*held, file, &network);
}

Test(proxy_blocklist, is_read_again_as_a_whole_or_not_at_all)
{
    struct blocklists *lists;
    struct generation *held = NULL;
    struct fault       fault;
    char               one[32], two[32];
    unsigned           first, second, again;

    make_file(one, "10.0.0.0/8\n");
    make_file(two, "192.0.2.1\n192.0.2.2\n");
    cr_assert_eq(blocklists_create(&lists), ERR_NONE);
    cr_assert_eq(blocklists_add(lists, one, &first, &fault), ERR_NONE);
    cr_assert_eq(blocklists_add(lists, two, &second, &fault), ERR_NONE);
    cr_assert_eq(blocklists_add(lists, one, &again, &fault), ERR_NONE);
    cr_expect(first == 0 && second == 1 && again == 0);
    cr_expect_str_eq(blocklists_folder(lists, 1), "/tmp");
    cr_expect_null(blocklists_path(lists, 2));
    cr_expect_eq(metric_read(&blocklists_metrics(lists)->networks), 3);
    cr_expect(has(lists, &held, first, "10.1.1.1") && has(lists, &held, second, "192.0.2.2"));

    write_file(one, "11.0.0.0/8\n");
    write_file(two, "192.0.2.1\nnonsense\n");
    cr_expect_eq(blocklists_reload(lists, &fault), ERR_SYNTAX);
    cr_expect_not_null(strstr(fault.text, ":2: \"nonsense\""));
    cr_expect(has(lists, &held, first, "10.1.1.1") && !has(lists, &held, first, "11.1.1.1"));
    cr_expect_eq(metric_read(&blocklists_metrics(lists)->reloads_failed), 1);

    write_file(two, "");
    cr_expect_eq(blocklists_reload(lists, &fault), ERR_NONE);
    cr_expect(has(lists, &held, first, "11.1.1.1") && !has(lists, &held, second, "192.0.2.1"));
    cr_expect_eq(metric_read(&blocklists_metrics(lists)->reloads), 1);
    cr_expect_eq(metric_read(&blocklists_metrics(lists)->networks), 1);
    blocklist_release(&held);
    blocklists_destroy(&lists);
    unlink(one);
    unlink(two);
}

struct asking {
    struct blocklists *lists;
    atomic_bool        over;
    atomic_uint        asked;
};

/* 192.0.2.1 is in every version of the file. */
static void *
ask(void *argument)
{
    struct asking     *asking = argument;
    struct generation *held = NULL;
    bool               always = true;

    while (!atomic_load(&asking->over)) {
        always &= has(asking->lists, &held, 0, "192.0.2.1");
        atomic_fetch_add(&asking->asked, 1);
    }
    blocklist_release(&held);
    return always ? argument : NULL;
}

Test(proxy_blocklist, is_read_again_while_others_ask)
{
    enum { READERS = 3, RELOADS = 50 };
    struct asking asking = { .over = false };
    struct fault  fault;
    pthread_t     threads[READERS];
    char          path[32];
    unsigned      file;
    void         *result;

    make_file(path, "192.0.2.1\n");
    cr_assert_eq(blocklists_create(&asking.lists), ERR_NONE);
    cr_assert_eq(blocklists_add(asking.lists, path, &file, &fault), ERR_NONE);
    for (unsigned i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask, &asking), 0);
    for (unsigned i = 0; i < RELOADS; i++) {
        unsigned before = atomic_load(&asking.asked);
        write_file(path, i % 2 == 0 ? "192.0.2.0/24\n" : "192.0.2.1\n10.0.0.0/8\n");
        cr_assert_eq(blocklists_reload(asking.lists, &fault), ERR_NONE);
        while (atomic_load(&asking.asked) == before)
            sched_yield();
    }
    atomic_store(&asking.over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], &result);
        cr_expect_not_null(result);
    }
    blocklists_destroy(&asking.lists);
    unlink(path);
}
