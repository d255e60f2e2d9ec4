/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bound on what a manifest may hold, in one place. Past one, reading stops with a diagnostic;
 * nothing is cut silently. The README of this folder repeats them for people.
 */
#ifndef REMIT_COMPILE_LIMITS_H
#define REMIT_COMPILE_LIMITS_H

/* A bound as messages say it. */
#define LIMIT_NUMBER(limit) LIMIT_NUMBER_AS_IS(limit)
#define LIMIT_NUMBER_AS_IS(limit) #limit

#define LIMIT_FILE_BYTES (1024 * 1024) /* one file */
#define LIMIT_FILE_NUMBER "1 MiB"      /* the same for messages */
#define LIMIT_DEPTH 8	      /* lists and mappings within each other; the language needs 5 */
#define LIMIT_NODES 200000    /* scalars, lists and mappings of one file */
#define LIMIT_FILES 64	      /* the manifest and all that it includes */
#define LIMIT_INCLUDE_DEPTH 8 /* files that include each other in a row */
#define LIMIT_RULES 1000000   /* of all files together */
#define LIMIT_TESTS 20000     /* of the manifest */
#define LIMIT_EXCEPTS 256     /* of one denial */
#define LIMIT_ARGS 256	      /* alternatives of one rule's arguments */
#define LIMIT_ARGS_TEXT 4096  /* bytes of one of them */
#define LIMIT_PORT_RANGES 64  /* of one address */
#define LIMIT_WILDCARDS 32    /* wildcard components of one pattern */
#define LIMIT_TEXT 1024	      /* bytes of purpose, owner, reason */
#define LIMIT_ID 64	      /* bytes of an item's id */
#define LIMIT_VALUE 32768     /* bytes of any one text after variables */
#define LIMIT_LOG_LEAST 65536 /* bytes that audit.max_size grants at least */

/* Of the machine, at launch. */
#define LIMIT_LINKS 40		/* symbolic links in one path: MAXSYMLINKS, linux/namei.h */
#define LIMIT_INTERPRETERS 5	/* `#!` upon `#!`: exec_binprm() in fs/exec.c */
#define LIMIT_PROGRAMS 8192	/* files looked into for their interpreters */
#define LIMIT_ENTRIES 65536	/* names met while searching for them */
#define LIMIT_PROGRAM_FOLDERS 6 /* folders within each other that are searched for programs */

#endif
