/* SPDX-License-Identifier: Apache-2.0 */
/* For a command that is the first process of a container. */
#ifndef REMIT_TOOLS_INIT_H
#define REMIT_TOOLS_INIT_H

/*
 * Runs body(argc, argv) and returns its status. As process 1 of a PID namespace it does so in a
 * child and is the container's init meanwhile: it reaps whatever is left to it, hands on the
 * signals that it is sent, and returns 128+N when signal N ended the child.
 */
int init_run(int (*body)(int argc, char **argv), int argc, char **argv);

#endif
