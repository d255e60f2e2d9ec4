# SPDX-License-Identifier: Apache-2.0
# The seccomp programs that the command carries, built by libseccomp on the machine that builds the command: HOSTCC and
# its packages make a program for that machine, whatever CC makes.

HOSTCC ?= $(CC)
HOST_PKG_CONFIG ?= $(PKG_CONFIG)
FILTER_SOURCES := tools/filters/main.c shim/kernel/filter.c shim/kernel/filter_digest.c $(wildcard policy/plan/filter*.c) policy/plan/socket_options.c \
	policy/plan/syscalls.c

$(BUILD)/filters/generate: $(FILTER_SOURCES) policy/plan/plan.h policy/plan/filter.h policy/plan/filter_rows.h policy/plan/syscalls.h policy/plan/socket_options.h \
		policy/plan/features.h shim/kernel/kernel.h shim/common/protocol.h shim/common/uapi.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  HOSTLD  $@")
	$(Q)$(HOSTCC) -std=gnu17 $(WARNINGS) -I. -D_GNU_SOURCE -O1 -o $@ $(FILTER_SOURCES) \
		$$($(HOST_PKG_CONFIG) --cflags --libs libseccomp libsodium)

# Whole or not: a generator that fails leaves no table behind.
$(BUILD)/filters/filters.inc: $(BUILD)/filters/generate
	$(if $(Q),@echo "  GEN     $@")
	$(Q)$< > $@.new && mv $@.new $@

$(BUILD)/shim/kernel/filter_ready.o: $(BUILD)/filters/filters.inc
$(BUILD)/shim/kernel/filter_ready.o: REMIT_CFLAGS += -iquote $(BUILD)/filters
