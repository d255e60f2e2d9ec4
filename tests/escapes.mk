# SPDX-License-Identifier: Apache-2.0
# The escape programs: one set of sources, built plainly and (for the static way) with bare system
# calls. Everything lands in $(BUILD)/tests/escapes; the runners need python3 and nothing else.

ESCAPES := tests/live/escapes
ESCAPE_SOURCES := $(addprefix $(ESCAPES)/,harness.c paths.c names.c change.c attributes.c lane.c filter.c \
	process.c network.c socket.c exec.c further.c deeper.c)
ESCAPE_OUT := $(BUILD)/tests/escapes
PARITY_SOURCES := tests/parity/driver.c tests/parity/driver_network.c
PARITY_OUT := $(BUILD)/tests/parity
RACE_OUT := $(BUILD)/tests/race
ESCAPE_HEADERS := $(wildcard $(ESCAPES)/*.h) shim/common/protocol.h
# Unsanitized on purpose: these stand for foreign programs, and the static way cannot be otherwise.
ESCAPE_CFLAGS := -std=gnu17 -fno-common $(WARNINGS) -I. -D_GNU_SOURCE -O2 -g
ESCAPE_BARE := -Os -fno-pie -no-pie -static -nostdlib -fno-stack-protector -fno-builtin
PYTHON ?= python3

ESCAPE_PROGRAMS := $(addprefix $(ESCAPE_OUT)/,escapes escapes-static tool tool-did stranger evil.so)
PARITY_PROGRAMS := $(addprefix $(PARITY_OUT)/,driver driver-static)
RACE_SOURCES := tests/race/race.c tests/race/how.c
RACE_PROGRAMS := $(addprefix $(RACE_OUT)/,race race-static)

$(ESCAPE_OUT)/escapes: $(ESCAPE_SOURCES) $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $(ESCAPE_SOURCES)

$(ESCAPE_OUT)/escapes-static: $(ESCAPE_SOURCES) $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -DRAW -static -o $@ $(ESCAPE_SOURCES)

# No libc: only _start and bare system calls.
$(ESCAPE_OUT)/tool: $(ESCAPES)/tool.c $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) $(ESCAPE_BARE) -o $@ $<

$(ESCAPE_OUT)/tool-did: $(ESCAPES)/tool.c $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -DALWAYS='"DID"' $(ESCAPE_BARE) -o $@ $<

$(ESCAPE_OUT)/stranger: $(ESCAPES)/stranger.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $<

$(ESCAPE_OUT)/evil.so: $(ESCAPES)/evil.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -shared -fPIC -o $@ $<

$(PARITY_OUT)/driver: $(PARITY_SOURCES) $(ESCAPE_HEADERS) tests/parity/driver.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $(PARITY_SOURCES)

$(PARITY_OUT)/driver-static: $(PARITY_SOURCES) $(ESCAPE_HEADERS) tests/parity/driver.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -DRAW -static -o $@ $(PARITY_SOURCES)

$(RACE_OUT)/race: $(RACE_SOURCES) tests/race/race.h $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $(RACE_SOURCES) -pthread

$(RACE_OUT)/race-static: $(RACE_SOURCES) tests/race/race.h $(ESCAPE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -DRAW -static -o $@ $(RACE_SOURCES) -pthread

.PHONY: check-escapes
check-escapes: all $(ESCAPE_PROGRAMS) ## ways out that must lead nowhere, three ways each (ESCAPE_FLAGS=--native: without the gate)
	$(Q)$(PYTHON) $(ESCAPES)/run.py $(BUILD) --summary $(ESCAPE_FLAGS)

.PHONY: check-mutation
check-mutation: packages ## each mechanism switched off alone: which tests go red (not part of check)
	$(Q)nice $(PYTHON) tests/mutation/run.py

LOOPS ?= 2000

.PHONY: check-race
check-race: all $(ESCAPE_PROGRAMS) $(RACE_PROGRAMS) ## races on what the gate reads (LOOPS=100000 for the long run)
	$(Q)$(PYTHON) tests/race/run.py $(BUILD) --loops $(LOOPS)

.PHONY: check-parity
check-parity: all $(ESCAPE_OUT)/tool $(PARITY_PROGRAMS) ## decide(), a naive evaluator and three programs agree
	$(Q)$(PYTHON) tests/parity/run.py $(BUILD)
	$(Q)$(PYTHON) tests/parity/run.py $(BUILD) --native
