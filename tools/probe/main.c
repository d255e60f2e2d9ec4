/* SPDX-License-Identifier: Apache-2.0 */
/* remit-probe: the acts of `remit self-test` as a static program, which no preloaded library sees.
 */
#include "tools/probe/probe.h"

int main(int argc, char **argv)
{
	return probe_main(argc, argv);
}
