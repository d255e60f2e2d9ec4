// SPDX-License-Identifier: Apache-2.0
/*
 * A source route sends what goes to a granted address to another one first; a flow label may carry
 * one.
 *
 * Joining a multicast group tells the network about it, group and sources as the caller chose them:
 * a message to whoever listens there. What changes the sources of a group needs to have joined it.
 *
 * IP_LOCAL_PORT_RANGE says which port the kernel "chooses": any socket that binds to none would
 * listen where the manifest grants no listening. IPv6 sockets take it at the level of IPv4 too, and
 * have none of their own.
 */
#include "policy/plan/socket_options.h"

#include <linux/in.h>
#include <linux/in6.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* linux/in.h of 6.3 */
#endif

const struct socket_option socket_options[] = {
    {IPPROTO_IP, IP_OPTIONS, 0, "source route"},
    {IPPROTO_IPV6, IPV6_2292PKTOPTIONS, 0, "source route"},
    {IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, 0, "source route"},
    {IPPROTO_IPV6, IPV6_RTHDR, 0, "source route"},
    {IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0, "port of its own choice"},
    {IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_ADD_MEMBERSHIP ^ IP_ADD_SOURCE_MEMBERSHIP,
     "multicast group"},
    {IPPROTO_IP, MCAST_JOIN_GROUP, MCAST_JOIN_GROUP ^ MCAST_JOIN_SOURCE_GROUP, "multicast group"},
    {IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, 0, "multicast group"},
    {IPPROTO_IPV6, MCAST_JOIN_GROUP, MCAST_JOIN_GROUP ^ MCAST_JOIN_SOURCE_GROUP, "multicast group"},
};
const size_t socket_option_count = sizeof(socket_options) / sizeof(*socket_options);

const struct socket_option *socket_option_find(uint64_t level, uint64_t option)
{
	for (size_t i = 0; i < socket_option_count; i++) {
		const struct socket_option *at = &socket_options[i];

		if ((level & SOCKET_LEVEL_BITS) == at->level &&
		    (option & SOCKET_OPTION_BITS & ~(uint64_t)at->or_bit) == at->option)
			return at;
	}
	return NULL;
}
