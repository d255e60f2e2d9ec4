/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make and watch the stage of `remit self-test`: self_test_stage.c its
 * files, self_test_outside.c what is around a session, self_test_marks.c whether that was reached.
 */
#ifndef REMIT_TOOLS_SELF_TEST_STAGE_H
#define REMIT_TOOLS_SELF_TEST_STAGE_H

#include <sys/stat.h>

#include "tools/self_test.h"

/* Each 0 or a negative errno; what was made is the stage's. */
int stage_open_network(struct self_test_stage *stage);
int stage_open_terminal(struct self_test_stage *stage);
int stage_start_stranger(struct self_test_stage *stage);
/* A machine without System V memory has none. */
void stage_share_memory(struct self_test_stage *stage);
/* How the files of a case are now; SELF_TEST_MARKS of them, st_nlink 0: not there. */
void stage_mark(const struct self_test_stage *stage, const char *name, struct stat marks[]);

#endif
