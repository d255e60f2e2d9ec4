/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: what is read, what is refused, and that writing and reading are inverse. libc's
 * inet_pton() and inet_ntop() stand by as the second opinion. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/core/address.h"

static const struct {
	const char *text, *shown; /* shown with port 80; NULL: refused */
} cases[] = {
    {"1.2.3.4", "1.2.3.4:80"},
    {"0.0.0.0", "0.0.0.0:80"},
    {"255.255.255.255", "255.255.255.255:80"},
    {"::", "[::]:80"},
    {"::1", "[::1]:80"},
    {"1::", "[1::]:80"},
    {"fd00::1:0:0:2", "[fd00::1:0:0:2]:80"},
    {"1:0:0:2:0:0:0:3", "[1:0:0:2::3]:80"},
    {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:80"},
    {"1:0:3:4:5:6:7:8", "[1:0:3:4:5:6:7:8]:80"},
    {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:80"},
    {"FE80::ABCD", "[fe80::abcd]:80"},
    {"::ffff:1.2.3.4", "1.2.3.4:80"},
    {"::ffff:102:304", "1.2.3.4:80"},
    {"64:ff9b::1.2.3.4", "[64:ff9b::102:304]:80"},
    {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:80"},
    {"::1.2.3.4", "[::102:304]:80"},
    {"", NULL},
    {"0", NULL},
    {"127.1", NULL},
    {"0x7f000001", NULL},
    {"0x7f.0.0.1", NULL},
    {"010.0.0.1", NULL},
    {"1.2.3.256", NULL},
    {"1.2.3.4.5", NULL},
    {"1.2.3.", NULL},
    {".1.2.3", NULL},
    {"1..2.3", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"1.2.3.0004", NULL},
    {"2130706433", NULL},
    {":", NULL},
    {":1", NULL},
    {"1:", NULL},
    {":::", NULL},
    {"1::2::3", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4::5:6:7:8", NULL},
    {"12345::", NULL},
    {"::g", NULL},
    {"::1%lo", NULL},
    {"[::1]", NULL},
    {"::1/64", NULL},
    {"1.2.3.4::", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"::1.2.3", NULL},
    {"::01.2.3.4", NULL},
};

START_TEST(test_table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address address = {.protocol = PROTOCOL_TCP, .port = 80};
		char shown[ADDRESS_TEXT_MAX];
		int r = address_parse_ip(cases[i].text, strlen(cases[i].text), &address);

		ck_assert_msg(r == (cases[i].shown ? 0 : -EINVAL), "%s: %d", cases[i].text, r);
		if (r < 0)
			continue;
		ck_assert_uint_eq(address_format(&address, shown, sizeof(shown)), strlen(shown));
		ck_assert_str_eq(shown, cases[i].shown);
	}
}
END_TEST

START_TEST(test_format_is_cut)
{
	struct address address = {
	    .protocol = PROTOCOL_UDP, .family = FAMILY_IP4, .port = 65535, .ip = {1, 2, 3, 4}};
	char buf[8];

	ck_assert_uint_eq(address_format(&address, buf, sizeof(buf)), 7);
	ck_assert_str_eq(buf, "udp:1.2");
	ck_assert_uint_eq(address_format(&address, buf, 0), 0);
}
END_TEST

START_TEST(test_against_libc)
{
	srand(3);
	for (int round = 0; round < 200000; round++) {
		char text[32];
		size_t len = (size_t)(1 + rand() % 20);
		uint8_t ip[16] = {0};
		struct address address;

		for (size_t i = 0; i < len; i++)
			text[i] = "0123:::..af"[rand() % 11];
		text[len] = '\0';
		int ours = address_parse_ip(text, len, &address);
		int theirs =
		    inet_pton(AF_INET, text, ip) == 1 || inet_pton(AF_INET6, text, ip) == 1;
		ck_assert_msg((ours == 0) == theirs, "%s: %d %d", text, ours, theirs);
	}
}
END_TEST

START_TEST(test_round_trip)
{
	srand(5);
	for (int round = 0; round < 100000; round++) {
		struct address in = {.protocol = PROTOCOL_TCP, .family = FAMILY_IP6}, out;
		char text[ADDRESS_TEXT_MAX], theirs[INET6_ADDRSTRLEN];

		for (int i = 0; i < 16; i++)
			in.ip[i] = rand() % 3 ? 0 : (uint8_t)rand();
		in.ip[0] = 0xfd;
		size_t len = address_format(&in, text, sizeof(text)) - strlen("[]:0");
		ck_assert_int_eq(address_parse_ip(text + 1, len, &out), 0);
		ck_assert_int_eq(memcmp(in.ip, out.ip, 16), 0);
		inet_ntop(AF_INET6, in.ip, theirs, sizeof(theirs));
		text[len + 1] = '\0';
		ck_assert_str_eq(text + 1, theirs);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");
	SRunner *runner;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_table);
	tcase_add_test(tests, test_format_is_cut);
	tcase_add_test(tests, test_against_libc);
	tcase_add_test(tests, test_round_trip);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
