/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a name of libc gets into our hands. Each exported name is one jump through a slot of the hook
 * table, so a hook that has nothing to do in this process is taken out of the way by writing the
 * address of the next definition into its slot: outside a session all of them are, and the library
 * is then nothing but jumps. A hook also yields where somebody else interposes the same name after
 * us (fakeroot, a sanitizer, a program's own library): they were there natively, they stay there.
 *
 * The C functions are called hook_NAME, because the real names are poisoned (banned.h).
 */
#ifndef REMIT_PRELOAD_HOOK_H
#define REMIT_PRELOAD_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#define HOOK_LANE 1  /* exists for the fast lane only: yields where there is none */
#define HOOK_GLIBC 2 /* repeats what glibc does: yields to any other libc */
#define HOOK_KEEPS 4 /* keeps the shim loaded: never yields inside a session */

struct hook {
	void *target; /* where the exported name jumps to: our function until the hook yields */
	const char *name;
	void *next;	  /* the first definition after ours, see hook_next() */
	uint32_t kind;	  /* HOOK_… */
	uint32_t foreign; /* next belongs to somebody else than libc, and is known */
};

extern struct hook hooks_begin[] __asm__("__start_remit_hooks");
extern struct hook hooks_end[] __asm__("__stop_remit_hooks");

/* The table's entry of one name, to reach its `next`. */
#define HOOK_DECLARE(variable, symbol) extern struct hook variable __asm__("remit_hook_" symbol)

/* A further name of a function: HOOK_NAME("open64", "hook_open", "1"). */
#define HOOK_NAME(symbol, function, kind)                                                          \
	__asm__(".pushsection .rodata.remit,\"a\",@progbits\n"                                     \
		"9: .asciz \"" symbol "\"\n"                                                       \
		".popsection\n"                                                                    \
		".pushsection remit_hooks,\"aw\",@progbits\n"                                      \
		".balign 8\n"                                                                      \
		".globl remit_hook_" symbol "\n"                                                   \
		".hidden remit_hook_" symbol "\n"                                                  \
		"remit_hook_" symbol ":\n"                                                         \
		".quad " function ", 9b, 0\n"                                                      \
		".long " kind ", 0\n"                                                              \
		".popsection\n"                                                                    \
		".pushsection .text.remit,\"ax\",@progbits\n"                                      \
		".balign 16\n"                                                                     \
		".globl " symbol "\n"                                                              \
		".type " symbol ", @function\n" symbol ":\n"                                       \
		".cfi_startproc\n"                                                                 \
		"endbr64\n"                                                                        \
		"jmp *remit_hook_" symbol "(%rip)\n"                                               \
		".cfi_endproc\n"                                                                   \
		".size " symbol ", . - " symbol "\n"                                               \
		".popsection\n")

#define HOOK_TEXT_(x) #x
#define HOOK_TEXT(x) HOOK_TEXT_(x)

/* Declares `type function parameters` and exports it under `symbol`. */
#define HOOK(symbol, kinds, type, function, parameters)                                            \
	type function parameters;                                                                  \
	HOOK_NAME(symbol, #function, HOOK_TEXT(kinds))

/* Further names of a function that HOOK declared. */
#define HOOK_ALSO(symbol, kinds, function) HOOK_NAME(symbol, #function, HOOK_TEXT(kinds))

/*
 * Finds who else defines the hooked names, and libc; once. Walks the loaded objects, so it is for
 * the constructor, or a hook that is called even earlier.
 */
void next_bind(void);
/* The name under which the loader has this library; "" before next_bind(). */
const char *next_own_path(void);
/* True when the process runs on glibc. */
bool next_is_glibc(void);

/* The next definition of a hook; NULL when there is none. Safe wherever a hook is, after the
 * constructor. */
void *hook_next(struct hook *hook);

#endif
