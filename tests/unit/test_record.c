/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: one whole line each, in order, that no object can forge; broken for good after a
 * write that failed; what is remembered of explanations. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "shim/broker/record.h"
#include "tests/unit/model_builder.h"

static struct builder scope_with(enum record_mode mode)
{
	struct builder b = builder_new();

	builder_rule(&b, SECTION_FILES_READ, "/r");
	b.model.record = mode;
	builder_open(&b);
	return b;
}

static struct record refusal(const char *object, size_t len)
{
	return (struct record){
	    .pid = 7, .op = "read", .object = object, .object_len = len, .error = EACCES};
}

/* Writes through a log and reads back what it holds; the caller frees it. */
static char *logged(enum record_mode mode, const struct record *list, size_t count)
{
	struct builder b = scope_with(mode);
	char name[] = "/tmp/remit-record-XXXXXX";
	int fd = mkstemp(name), again = open(name, O_RDONLY);
	struct records *records;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(records_open(fd, "s-1", &b.scope, &records), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(records_write(records, &list[i]), 0);
	records_close(records);
	char *text = calloc(1, 1 << 20);

	ck_assert_int_ge(read(again, text, (1 << 20) - 1), 0);
	close(again);
	builder_free(&b);
	return text;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(a_refusal_is_one_line)
{
	struct record list[] = {refusal("/x", 2), refusal("/y", 2)};
	char *text = logged(RECORD_DENIALS, list, 2);

	ck_assert_uint_eq(lines_of(text), 2);
	ck_assert_ptr_nonnull(strstr(text, "\"seq\":0,"));
	ck_assert_ptr_nonnull(strstr(text, "\"seq\":1,"));
	ck_assert_ptr_nonnull(strstr(text,
				     "\"op\":\"read\",\"object\":\"/x\",\"verdict\":\"refused\","
				     "\"rule\":null"));
	ck_assert_ptr_nonnull(strstr(text, "\"session\":\"s-1\",\"agent\":\"test-agent\""));
	ck_assert_ptr_nonnull(strstr(text, "\"source\":\"broker\",\"errno\":13}"));
	free(text);
}
END_TEST

START_TEST(allowed_calls_are_written_where_the_manifest_wants_them)
{
	struct record allowed = refusal("/x", 2);

	allowed.verdict = VERDICT_ALLOWED;
	char *text = logged(RECORD_DENIALS, &allowed, 1);

	ck_assert_str_eq(text, "");
	free(text);
	text = logged(RECORD_ALL, &allowed, 1);
	ck_assert_ptr_nonnull(strstr(text, "\"verdict\":\"allowed\""));
	free(text);
}
END_TEST

START_TEST(without_records_refusals_are_counted)
{
	struct builder b = scope_with(RECORD_NONE);
	struct record record = refusal("/x", 2);
	struct record_totals totals;
	struct records *records;

	ck_assert_int_eq(records_open(-1, "s-1", &b.scope, &records), 0);
	ck_assert_int_eq(records_write(records, &record), 0);
	record.verdict = VERDICT_ALLOWED;
	ck_assert_int_eq(records_write(records, &record), 0);
	records_totals(records, &totals);
	ck_assert_uint_eq(totals.refused, 1);
	ck_assert_uint_eq(totals.allowed, 1);
	ck_assert_uint_eq(totals.written, 0);
	records_close(records);
	builder_free(&b);
	char *text = logged(RECORD_NONE, &record, 1);

	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(no_name_forges_a_line)
{
	static const char name[] = "/x\"}\n{\"verdict\":\"allowed\"\x1b[2J\xff\x7f\\";
	struct record record = refusal(name, sizeof(name) - 1);
	char *text = logged(RECORD_DENIALS, &record, 1);

	ck_assert_uint_eq(lines_of(text), 1);
	ck_assert_ptr_nonnull(strstr(text, "/x\\\"}\\u000a{\\\"verdict\\\":\\\"allowed\\\"\\u001b"
					   "[2J\\u00ff\\u007f\\\\"));
	free(text);
}
END_TEST

/* A byte 9b and the character U+009B are two files; the evidence tells them apart. */
START_TEST(bytes_and_characters_are_told_apart)
{
	struct record byte = refusal("/\x9b", 2), character = refusal("/\xc2\x9b", 3);
	char *first = logged(RECORD_DENIALS, &byte, 1);
	char *second = logged(RECORD_DENIALS, &character, 1);

	ck_assert_ptr_nonnull(strstr(first, "\"object\":\"/\\u009b\",\"object_hex\":\"2f9b\","));
	ck_assert_ptr_nonnull(strstr(second, "\"object\":\"/\\u009b\",\"verdict\""));
	free(first);
	free(second);
}
END_TEST

START_TEST(no_name_turns_or_ends_a_line)
{
	/* U+202E, U+2028, U+2066, U+FEFF, U+E0041, and a letter that may be seen. */
	static const char name[] = "/\u202e\u2028\u2066\ufeff\U000e0041\u00e9";
	struct record record = refusal(name, sizeof(name) - 1);
	char *text = logged(RECORD_DENIALS, &record, 1);

	ck_assert_ptr_nonnull(strstr(text, "/\\u202e\\u2028\\u2066\\ufeff\\udb40\\udc41\u00e9\""));
	free(text);
}
END_TEST

START_TEST(a_name_of_escapes_only_still_fits)
{
	char name[4095], exe[4095];

	memset(name, 0x81, sizeof(name));
	memset(exe, 0x82, sizeof(exe) - 1);
	exe[sizeof(exe) - 1] = '\0';
	struct record record = refusal(name, sizeof(name));

	record.exe = exe;
	char *text = logged(RECORD_DENIALS, &record, 1);

	ck_assert_uint_eq(lines_of(text), 1);
	free(text);
}
END_TEST

START_TEST(a_long_name_is_cut_in_the_middle)
{
	static char name[20000];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 'z';
	struct record record = refusal(name, sizeof(name));
	char *text = logged(RECORD_DENIALS, &record, 1);

	ck_assert_ptr_nonnull(strstr(text, "a…a"));
	ck_assert_ptr_nonnull(strstr(text, "az\","));
	ck_assert_uint_lt(strlen(text), 6000);
	free(text);
}
END_TEST

START_TEST(a_full_disk_breaks_the_log_for_good)
{
	struct builder b = scope_with(RECORD_DENIALS);
	struct records *records;
	struct record record = refusal("/x", 2), allowed = record;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	allowed.verdict = VERDICT_ALLOWED;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(records_open(fd, "s", &b.scope, &records), 0);
	ck_assert_int_eq(records_write(records, &allowed), 0);
	ck_assert(!records_broken(records));
	ck_assert_int_eq(records_write(records, &record), -EIO);
	ck_assert(records_broken(records));
	ck_assert_int_eq(records_write(records, &allowed), -EIO);
	records_close(records);
	builder_free(&b);
}
END_TEST

/* Every line but the last two counts: that the bound was met, and the end. */
START_TEST(a_bound_ends_the_log)
{
	struct builder b = builder_new();
	char name[] = "/tmp/remit-record-XXXXXX";
	int fd = mkstemp(name), again = open(name, O_RDONLY), error = 0;
	struct records *records;
	struct record record = refusal("/x", 2), allowed = record;
	struct record_totals totals;
	size_t written = 0;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	builder_rule(&b, SECTION_FILES_READ, "/r");
	b.model.log_bytes = 4096;
	builder_open(&b);
	allowed.verdict = VERDICT_ALLOWED;
	ck_assert_int_eq(records_open(fd, "s", &b.scope, &records), 0);
	while (!error && written < 4096) {
		ck_assert(!records_broken(records) && !records_full(records));
		error = records_write(records, &record);
		written += !error;
	}
	ck_assert_int_eq(error, -EIO);
	ck_assert(records_broken(records) && records_full(records));
	ck_assert_int_eq(records_write(records, &record), -EIO);
	ck_assert_int_eq(records_write(records, &allowed), -EIO);
	ck_assert_int_eq(records_end(records, NULL, 0, "exit"), 0);
	records_totals(records, &totals);
	ck_assert_uint_eq(totals.refused, written + 2);
	ck_assert_uint_eq(totals.written, written + 2);
	records_close(records);
	char text[8192] = "";
	ssize_t n = read(again, text, sizeof(text) - 1);

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(lines_of(text), written + 2);
	const char *full = strstr(text, "\"event\":\"full\""),
		   *end = strstr(text, "\"event\":\"end\"");

	ck_assert(full && end && full < end);
	while (full > text && full[-1] != '\n')
		full--;
	ck_assert_int_le(full - text, 4096);
	close(again);
	builder_free(&b);
}
END_TEST

START_TEST(a_closed_pipe_breaks_the_log)
{
	struct builder b = scope_with(RECORD_DENIALS);
	struct records *records;
	struct record record = refusal("/x", 2);
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(records_open(ends[1], "s", &b.scope, &records), 0);
	ck_assert_int_eq(records_write(records, &record), -EIO);
	ck_assert(records_broken(records));
	records_close(records);
	builder_free(&b);
}
END_TEST

static void *write_many(void *arg)
{
	struct record record = refusal("/thread", 7);

	for (int i = 0; i < 200; i++)
		records_write(arg, &record);
	return NULL;
}

START_TEST(threads_do_not_mix_their_lines)
{
	struct builder b = scope_with(RECORD_DENIALS);
	char name[] = "/tmp/remit-record-XXXXXX", line[1024];
	struct records *records;
	pthread_t threads[4];
	long count = 0;

	ck_assert_int_eq(records_open(mkstemp(name), "s", &b.scope, &records), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, records), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	FILE *file = fopen(name, "r");

	unlink(name);
	while (fgets(line, sizeof(line), file)) {
		char seq[32];

		snprintf(seq, sizeof(seq), "\"seq\":%ld,", count++);
		ck_assert_ptr_nonnull(strstr(line, seq));
		ck_assert_ptr_nonnull(strstr(line, "\"errno\":13}\n"));
	}
	ck_assert_int_eq(count, 800);
	fclose(file);

	struct record_totals totals;

	records_totals(records, &totals);
	ck_assert_uint_eq(totals.refused, 800);
	ck_assert_uint_eq(totals.written, 800);
	records_close(records);
	builder_free(&b);
}
END_TEST

START_TEST(one_explanation_for_each_process_verb_and_object)
{
	struct builder b = scope_with(RECORD_DENIALS);
	struct records *records;

	ck_assert_int_eq(records_open(open("/dev/null", O_WRONLY), "s", &b.scope, &records), 0);
	ck_assert(records_first_time(records, 1, VERB_READ, "/x", 2));
	ck_assert(!records_first_time(records, 1, VERB_READ, "/x", 2));
	ck_assert(records_first_time(records, 2, VERB_READ, "/x", 2));
	ck_assert(records_first_time(records, 1, VERB_WRITE, "/x", 2));
	ck_assert(records_first_time(records, 1, VERB_READ, "/xy", 3));
	/* Bounded: a flood makes it forget, never grow nor fail. */
	for (int i = 0; i < 100000; i++)
		records_first_time(records, i, VERB_READ, "/flood", 6);
	ck_assert(!records_first_time(records, 99999, VERB_READ, "/flood", 6));
	records_close(records);
	builder_free(&b);
}
END_TEST

START_TEST(the_summary_counts_and_keeps_quiet)
{
	struct builder b = scope_with(RECORD_DENIALS);
	struct records *records;
	struct record often = refusal("/often\n\u202e", 10), once = refusal("/once", 5),
		      quiet = once;
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	quiet.quiet = true;
	quiet.object = "/hush";
	ck_assert_int_eq(records_open(open("/dev/null", O_WRONLY), "s", &b.scope, &records), 0);
	records_summary(records, stream);
	fflush(stream);
	ck_assert_uint_eq(len, 0);
	records_write(records, &once);
	records_write(records, &often);
	records_write(records, &often);
	records_write(records, &quiet);
	records_summary(records, stream);
	fclose(stream);
	ck_assert_ptr_nonnull(strstr(text, "3 refused"));
	ck_assert_ptr_null(strstr(text, "/hush"));
	ck_assert(strstr(text, "2  read /often\\x0a\\xe2\\x80\\xae") <
		  strstr(text, "1  read /once"));
	ck_assert_ptr_nonnull(strstr(text, "2  read /often\\x0a\\xe2\\x80\\xae"));
	free(text);
	records_close(records);
	builder_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *cases = tcase_create("record");

	tcase_add_test(cases, a_refusal_is_one_line);
	tcase_add_test(cases, allowed_calls_are_written_where_the_manifest_wants_them);
	tcase_add_test(cases, without_records_refusals_are_counted);
	tcase_add_test(cases, no_name_forges_a_line);
	tcase_add_test(cases, bytes_and_characters_are_told_apart);
	tcase_add_test(cases, no_name_turns_or_ends_a_line);
	tcase_add_test(cases, a_name_of_escapes_only_still_fits);
	tcase_add_test(cases, a_long_name_is_cut_in_the_middle);
	tcase_add_test(cases, a_full_disk_breaks_the_log_for_good);
	tcase_add_test(cases, a_bound_ends_the_log);
	tcase_add_test(cases, a_closed_pipe_breaks_the_log);
	tcase_add_test(cases, threads_do_not_mix_their_lines);
	tcase_add_test(cases, one_explanation_for_each_process_verb_and_object);
	tcase_add_test(cases, the_summary_counts_and_keeps_quiet);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
