/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as bytes: every spelling of one destination gives one address, no byte past the
 * given length counts. */
#include <check.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "shim/broker/sockaddr.h"

static struct sockaddr_storage ip4(const char *text, uint16_t port)
{
	struct sockaddr_storage name = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&name;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return name;
}

static struct sockaddr_storage ip6(const char *text, uint16_t port)
{
	struct sockaddr_storage name = {0};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&name;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	return name;
}

static struct sockaddr_storage local(const char *bytes, size_t len)
{
	struct sockaddr_storage name;
	struct sockaddr_un *un = (struct sockaddr_un *)&name;

	/* What lies behind the given length must never count. */
	memset(&name, 'X', sizeof(name));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, bytes, len);
	return name;
}

#define UNIX_LEN(n) (offsetof(struct sockaddr_un, sun_path) + (n))

START_TEST(one_destination_one_address)
{
	struct sockaddr_storage plain = ip4("10.1.2.3", 443), mapped = ip6("::ffff:10.1.2.3", 443);
	struct socket_name a, b;

	ck_assert_int_eq(sockaddr_read(&plain, sizeof(struct sockaddr_in), &a), 0);
	ck_assert_int_eq(sockaddr_read(&mapped, sizeof(struct sockaddr_in6), &b), 0);
	ck_assert_int_eq(a.kind, NAME_IP);
	ck_assert_mem_eq(&a.address, &b.address, sizeof(a.address));
	ck_assert_uint_eq(a.address.family, FAMILY_IP4);
	ck_assert_uint_eq(a.address.port, 443);
	ck_assert(!a.any && !b.any);
	/* Padding and flow are not part of an address; the scope is not either. */
	memset(((struct sockaddr_in *)&plain)->sin_zero, 0x5a, 8);
	((struct sockaddr_in6 *)&mapped)->sin6_flowinfo = 77;
	((struct sockaddr_in6 *)&mapped)->sin6_scope_id = 3;
	ck_assert_int_eq(sockaddr_read(&plain, sizeof(plain), &b), 0);
	ck_assert_mem_eq(&a.address, &b.address, sizeof(a.address));
	ck_assert_int_eq(sockaddr_read(&mapped, sizeof(mapped), &b), 0);
	ck_assert_mem_eq(&a.address, &b.address, sizeof(a.address));
}
END_TEST

START_TEST(any_in_every_spelling)
{
	struct sockaddr_storage names[] = {ip4("0.0.0.0", 1), ip6("::", 1),
					   ip6("::ffff:0.0.0.0", 1)};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct socket_name name;

		ck_assert_int_eq(sockaddr_read(&names[i], sizeof(struct sockaddr_in6), &name), 0);
		ck_assert(name.any);
	}
}
END_TEST

START_TEST(lengths)
{
	struct sockaddr_storage four = ip4("1.2.3.4", 5), six = ip6("2001:db8::1", 5), nl = {0};
	struct socket_name name;

	ck_assert_int_eq(sockaddr_read(&four, 0, &name), -EINVAL);
	ck_assert_int_eq(sockaddr_read(&four, 1, &name), -EINVAL);
	ck_assert_int_eq(sockaddr_read(&four, sizeof(struct sockaddr_in) - 1, &name), -EINVAL);
	ck_assert_int_eq(sockaddr_read(&four, sizeof(four) + 1, &name), -EINVAL);
	/* RFC 2133: without the scope. */
	ck_assert_int_eq(sockaddr_read(&six, 23, &name), -EINVAL);
	ck_assert_int_eq(sockaddr_read(&six, 24, &name), 0);
	ck_assert_uint_eq(name.address.family, FAMILY_IP6);
	four.ss_family = AF_UNSPEC;
	ck_assert_int_eq(sockaddr_read(&four, sizeof(sa_family_t), &name), 0);
	ck_assert_int_eq(name.kind, NAME_UNSPEC);
	four.ss_family = AF_PACKET;
	ck_assert_int_eq(sockaddr_read(&four, sizeof(four), &name), 0);
	ck_assert_int_eq(name.kind, NAME_OTHER);
	nl.ss_family = AF_NETLINK;
	ck_assert_int_eq(sockaddr_read(&nl, sizeof(struct sockaddr_nl) - 1, &name), -EINVAL);
	ck_assert_int_eq(sockaddr_read(&nl, sizeof(struct sockaddr_nl), &name), 0);
	ck_assert_int_eq(name.kind, NAME_NETLINK);
}
END_TEST

START_TEST(unix_names)
{
	struct sockaddr_storage path = local("/run/a", 6), abstract = local("\0a\0b", 4), full;
	struct socket_name name;

	ck_assert_int_eq(sockaddr_read(&path, UNIX_LEN(6), &name), 0);
	ck_assert_int_eq(name.kind, NAME_PATH);
	ck_assert_str_eq(name.text, "/run/a");
	path = local("/run/a\0junk", 11);
	ck_assert_int_eq(sockaddr_read(&path, UNIX_LEN(11), &name), 0);
	ck_assert_str_eq(name.text, "/run/a");
	ck_assert_uint_eq(name.len, 6);
	ck_assert_int_eq(sockaddr_read(&abstract, UNIX_LEN(4), &name), 0);
	ck_assert_int_eq(name.kind, NAME_ABSTRACT);
	ck_assert_uint_eq(name.len, 3);
	ck_assert_mem_eq(name.text, "a\0b", 3);
	ck_assert_int_eq(sockaddr_read(&abstract, UNIX_LEN(1), &name), 0);
	ck_assert_int_eq(name.kind, NAME_ABSTRACT);
	ck_assert_uint_eq(name.len, 0);
	ck_assert_int_eq(sockaddr_read(&abstract, UNIX_LEN(0), &name), 0);
	ck_assert_int_eq(name.kind, NAME_UNNAMED);
	/* All 108 bytes, without an ending NUL; one more is too many. */
	memset(&full, 'p', sizeof(full));
	full.ss_family = AF_UNIX;
	ck_assert_int_eq(sockaddr_read(&full, sizeof(struct sockaddr_un), &name), 0);
	ck_assert_uint_eq(name.len, 108);
	ck_assert_uint_eq(strlen(name.text), 108);
	ck_assert_int_eq(sockaddr_read(&full, sizeof(struct sockaddr_un) + 1, &name), -EINVAL);
}
END_TEST

static void becomes(struct sockaddr_storage name, struct sockaddr_storage own,
		    struct sockaddr_storage wanted)
{
	struct socket_name got, expected;

	sockaddr_concrete(&name, &own);
	ck_assert_int_eq(sockaddr_read(&name, sizeof(name), &got), 0);
	ck_assert_int_eq(sockaddr_read(&wanted, sizeof(wanted), &expected), 0);
	ck_assert_mem_eq(&got.address, &expected.address, sizeof(got.address));
	ck_assert(!got.any);
}

START_TEST(any_leads_to)
{
	becomes(ip4("0.0.0.0", 9), ip4("0.0.0.0", 0), ip4("127.0.0.1", 9));
	becomes(ip4("0.0.0.0", 9), ip4("10.0.0.5", 0), ip4("10.0.0.5", 9));
	becomes(ip6("::", 9), ip6("::", 0), ip6("::1", 9));
	becomes(ip6("::", 9), ip6("::ffff:0.0.0.0", 0), ip4("127.0.0.1", 9));
	becomes(ip6("::", 9), ip6("::ffff:10.0.0.5", 0), ip4("10.0.0.5", 9));
	becomes(ip6("::ffff:0.0.0.0", 9), ip6("::", 0), ip4("127.0.0.1", 9));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockaddr");
	TCase *cases = tcase_create("all");

	tcase_add_test(cases, one_destination_one_address);
	tcase_add_test(cases, any_in_every_spelling);
	tcase_add_test(cases, lengths);
	tcase_add_test(cases, unix_names);
	tcase_add_test(cases, any_leads_to);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
