/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program built with the shared AddressSanitizer stops when another library was loaded before
 * libasan ("ASan runtime does not come first"). It asks this function for defaults, and finds ours
 * unless the program has its own; ours are only read inside a session, but the name must answer
 * everywhere. What we have in common with libasan yields to it (hook.h), so its checks are whole.
 */
#include "shim/preload/banned.h"

const char *remit_asan_options(void) __asm__("__asan_default_options");
__attribute__((visibility("default"))) const char *remit_asan_options(void)
{
	return "verify_asan_link_order=0";
}
