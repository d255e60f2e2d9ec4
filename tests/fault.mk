# SPDX-License-Identifier: Apache-2.0
# A command in which every call of the kernel and the C library can be made to fail: the same sources, built so that
# each call keeps its place, linked through tests/fault/inject.c. See tests/fault/README.md.

FAULT := tests/fault
FAULT_BUILD := $(BUILD)/fault
FAULT_OBJECTS = $(patsubst %.c,$(FAULT_BUILD)/%.o,$(LIBRARY) $(TOOLS))
FAULT_OTHERS = $(patsubst %.c,$(FAULT_BUILD)/%.o,$(filter-out tools/probe/main.c,$(PROBE_SOURCES)))
FAULT_FLAGS := -O1 -g -fno-inline -fno-optimize-sibling-calls
SITES ?= 90

$(FAULT_BUILD)/remit: $(LIBRARY) $(TOOLS) FORCE
	@+$(MAKE) --no-print-directory BUILD=$(FAULT_BUILD) CONFIG=release CFLAGS='$(FAULT_FLAGS)' \
		HARDENING=-fstack-protector-strong $(FAULT_BUILD)/remit

$(FAULT_BUILD)/remit-fault: $(FAULT_BUILD)/remit $(FAULT)/inject.c $(FAULT)/calls $(FAULT)/calls.py
	@$(PYTHON) $(FAULT)/calls.py check $(FAULT_OBJECTS) with $(FAULT_OTHERS)
	@$(PYTHON) $(FAULT)/calls.py wraps > $(FAULT_BUILD)/wraps.inc
	@$(PYTHON) $(FAULT)/calls.py options > $(FAULT_BUILD)/wraps.options
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O1 -g -fPIE -I$(FAULT_BUILD) -c -o $(FAULT_BUILD)/inject.o $(FAULT)/inject.c
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(FAULT_OBJECTS) $(FAULT_OTHERS) $(FAULT_BUILD)/inject.o \
		@$(FAULT_BUILD)/wraps.options $(REMIT_LIBS)
	@cp $(BUILD)/libremit.so $(FAULT_BUILD)/

$(BUILD)/tests/fault/acts: $(wildcard $(FAULT)/acts*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $(FAULT)/acts*.c

.PHONY: check-fault
check-fault: all $(FAULT_BUILD)/remit-fault $(BUILD)/tests/fault/acts ## the gate while the kernel fails it (SITES=all: every call, every errno)
	$(Q)$(PYTHON) $(FAULT)/run.py $(BUILD) --sites $(SITES)
