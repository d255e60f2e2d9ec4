/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker keeps of the thread that called last. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/broker/known.h"

static struct known known;

static void begin(void)
{
	known_init(&known);
}

static void end(void)
{
	known_forget(&known);
}

static int an_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(test_taken_once)
{
	int fd = an_fd();

	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 7), -1);
	known_keep(&known, KNOWN_STATUS, 7, fd);
	ck_assert_int_eq(known_take(&known, KNOWN_PIDFD, 7), -1);
	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 7), fd);
	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 7), -1);
	ck_assert(is_open(fd));
	close(fd);
}
END_TEST

START_TEST(test_of_another)
{
	int fd = an_fd();

	known_keep(&known, KNOWN_STATUS, 7, fd);
	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 8), -1);
	ck_assert(!is_open(fd));
	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 7), -1);
}
END_TEST

START_TEST(test_replaced)
{
	int first = an_fd(), second = an_fd();

	known_keep(&known, KNOWN_STATUS, 7, first);
	known_keep(&known, KNOWN_STATUS, 8, second);
	ck_assert(!is_open(first));
	ck_assert(is_open(second));
	known_forget(&known);
	ck_assert(!is_open(second));
	ck_assert_int_eq(known_take(&known, KNOWN_STATUS, 8), -1);
}
END_TEST

START_TEST(test_nothing_to_keep_in)
{
	int fd = an_fd();

	ck_assert_int_eq(known_take(NULL, KNOWN_STATUS, 7), -1);
	known_keep(NULL, KNOWN_STATUS, 7, fd);
	ck_assert(!is_open(fd));
}
END_TEST

/* What known.h relies on: the file is the thread's, not the number's. */
START_TEST(test_of_the_dead)
{
	char path[32], byte;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	errno = 0;
	ck_assert_int_eq(pread(fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("known");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, test_taken_once);
	tcase_add_test(tests, test_of_another);
	tcase_add_test(tests, test_replaced);
	tcase_add_test(tests, test_nothing_to_keep_in);
	tcase_add_test(tests, test_of_the_dead);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
