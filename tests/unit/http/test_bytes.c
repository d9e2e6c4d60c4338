/* test_bytes.c: every entry of the class table against the grammar, spelled here a second time. */
#include <criterion/criterion.h>

#include "bytes.h"

#include <string.h>

static bool
is_one_of(int byte, const char *bytes)
{
    return byte != 0 && strchr(bytes, byte) != NULL;
}

static bool
is_alnum(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

Test(http_bytes, every_byte_has_the_classes_of_the_grammar)
{
    for (int byte = 0; byte < 256; byte++) {
        bool visible = byte >= 0x21 && byte <= 0x7e, other = byte >= 0x80;
        char c = (char)byte;

        cr_assert_eq(byte_is(c, BYTE_TOKEN), is_alnum(byte) || is_one_of(byte, "!#$%&'*+-.^_`|~"), "0x%02x",
                     byte);
        cr_assert_eq(byte_is(c, BYTE_VALUE), visible || other || byte == ' ' || byte == '\t', "0x%02x", byte);
        cr_assert_eq(byte_is(c, BYTE_TARGET), visible && byte != '#', "0x%02x", byte);
        cr_assert_eq(byte_is(c, BYTE_ETAG), (visible && byte != '"') || other, "0x%02x", byte);
        cr_assert_eq(byte_is(c, BYTE_HOST), is_alnum(byte) || is_one_of(byte, "-._~!$&'()*+;="), "0x%02x",
                     byte);
        cr_assert_eq(byte_is(c, BYTE_DIGIT), byte >= '0' && byte <= '9', "0x%02x", byte);
        cr_assert_eq(byte_is(c, BYTE_HEX), is_one_of(byte, "0123456789abcdefABCDEF"), "0x%02x", byte);
    }
}

Test(http_bytes, hex_digits_have_their_values)
{
    const char *lower = "0123456789abcdef", *upper = "0123456789ABCDEF";

    for (unsigned i = 0; i < 16; i++) {
        cr_assert_eq(byte_hex(lower[i]), i);
        cr_assert_eq(byte_hex(upper[i]), i);
    }
}
