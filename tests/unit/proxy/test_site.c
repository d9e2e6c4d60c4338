/* test_site.c: which site a host belongs to. */
#include <criterion/criterion.h>
#include <larder/proxy/site.h>

static struct span  shop[] = { { "shop.example.com", 16 }, { "*.shop.example.com", 18 } };
static struct span  wild[] = { { "*.example.com", 13 } };
static struct span  any[] = { { "*", 1 } };
static struct site  sites[] = { { .name = "wild", .hosts = wild, .host_count = 1 },
                                { .name = "shop", .hosts = shop, .host_count = 2 },
                                { .name = "any", .hosts = any, .host_count = 1 } };

static const char *
name_of(size_t count, const char *host)
{
    struct site_table  table = { sites, count };
    const struct site *site = site_find(&table, span_of_text(host));
    return site == NULL ? "none" : site->name;
}

Test(proxy_site, exact_then_longest_wildcard_then_any)
{
    cr_assert_str_eq(name_of(3, "shop.example.com"), "shop");
    cr_assert_str_eq(name_of(3, "SHOP.Example.COM"), "shop");
    cr_assert_str_eq(name_of(3, "a.shop.example.com"), "shop");
    cr_assert_str_eq(name_of(3, "a.b.shop.example.com"), "shop");
    cr_assert_str_eq(name_of(3, "www.example.com"), "wild");
    cr_assert_str_eq(name_of(3, "example.com"), "any");
    cr_assert_str_eq(name_of(3, "xexample.com"), "any");
    cr_assert_str_eq(name_of(3, ""), "any");
}

Test(proxy_site, unknown_hosts_have_none)
{
    cr_assert_str_eq(name_of(2, "example.com"), "none");
    cr_assert_str_eq(name_of(2, ".example.com"), "none");
    cr_assert_str_eq(name_of(2, ""), "none");
}

Test(proxy_site, a_single_site_takes_requests_without_host)
{
    cr_assert_str_eq(name_of(1, ""), "wild");
    cr_assert_str_eq(name_of(1, "other"), "none");
}
