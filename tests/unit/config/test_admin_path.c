/* test_admin_path.c: the default place of the admin socket. The folders of root and of /tmp are not
 * touched. */
#include <criterion/criterion.h>

#include <larder/config/admin_path.h>
#include <stdlib.h>
#include <unistd.h>

Test(config_admin_path, bounds)
{
    struct fault fault;
    char         path[ADMIN_PATH_SIZE + 1];

    memset(path, 'x', sizeof path);
    cr_expect_eq(admin_path_check(span_of(path, ADMIN_PATH_SIZE - 1), &fault), ERR_NONE);
    cr_expect_eq(admin_path_check(span_of(path, ADMIN_PATH_SIZE), &fault), ERR_RANGE);
    cr_expect_eq(admin_path_check(SPAN(""), &fault), ERR_SYNTAX);
    cr_expect_eq(admin_path_check(SPAN("a\0b"), &fault), ERR_SYNTAX);
}

Test(config_admin_path, server_and_client_agree)
{
    struct fault fault;
    char         first[ADMIN_PATH_SIZE], second[ADMIN_PATH_SIZE];

    setenv("XDG_RUNTIME_DIR", "/no/such/runtime", 1);
    cr_assert_eq(admin_path_default(false, first, &fault), ERR_NONE);
    cr_assert_eq(admin_path_default(false, second, &fault), ERR_NONE);
    cr_expect_str_eq(first, second);
    cr_expect_str_eq(first, geteuid() == 0 ? "/run/larder/admin.sock" : "/no/such/runtime/larder.sock");
}

Test(config_admin_path, a_runtime_folder_that_is_too_long_or_relative_is_passed_over)
{
    struct fault fault;
    char         path[ADMIN_PATH_SIZE], runtime[ADMIN_PATH_SIZE + 1] = "/";

    memset(runtime + 1, 'x', sizeof runtime - 2);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    cr_expect_eq(admin_path_default(false, path, &fault), ERR_NONE);
    cr_expect_null(strstr(path, "xxx"));
    setenv("XDG_RUNTIME_DIR", "here", 1);
    cr_expect_eq(admin_path_default(false, path, &fault), ERR_NONE);
    cr_expect_eq(path[0], '/');
}
