/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who ends the session of a broker that was killed: nobody else could tell any more which processes
 * are its own, and its limits of time would end with it. A process that is split off behind the
 * hull, nobody's child, so that the session neither sees nor waits for it; it holds a pidfd of the
 * broker and the other end of a socket.
 */
#ifndef REMIT_BROKER_WARDEN_H
#define REMIT_BROKER_WARDEN_H

/* Must be called by a process of one thread behind a hull that keeps signals inside, before it
 * adopts orphans. A descriptor (close-on-exec) for warden_dismiss(), or a negative errno. */
int warden_start(void);
/* All has ended as it should: it goes, and need not look for what is left. -1 is fine. */
void warden_dismiss(int fd);

#endif
