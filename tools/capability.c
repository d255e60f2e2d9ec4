/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/capability.h"

#include <linux/capability.h>
#include <stdio.h>

/* Those that a manifest can keep; policy/compile's README says why no others. */
static const char *const names[] = {
    [CAP_CHOWN] = "chown",	 [CAP_DAC_OVERRIDE] = "dac_override",
    [CAP_FOWNER] = "fowner",	 [CAP_FSETID] = "fsetid",
    [CAP_KILL] = "kill",	 [CAP_NET_BIND_SERVICE] = "net_bind_service",
    [CAP_SYS_NICE] = "sys_nice",
};

const char *capability_name(unsigned int number, char *buf)
{
	if (number < sizeof(names) / sizeof(names[0]) && names[number])
		return names[number];
	snprintf(buf, 32, "%u", number);
	return buf;
}
