# SPDX-License-Identifier: Apache-2.0
# The acts of `remit self-test`, twice: into the command, and as a static program without libc's
# wrappers. Unsanitized and unhardened on purpose: it stands for a foreign program.

PROBE_SOURCES := $(wildcard tools/probe/*.c)
PROBE_CFLAGS = -std=gnu17 -fno-common $(WARNINGS) $(if $(WERROR),-Werror) -I. -D_GNU_SOURCE -DPROBE_RAW -O2

all: $(BUILD)/remit-probe

$(BUILD)/remit-probe: $(PROBE_SOURCES) $(wildcard tools/probe/*.h) shim/common/protocol.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(PROBE_CFLAGS) -static -o $@ $(PROBE_SOURCES)

$(BUILD)/remit: $(call obj,$(filter-out tools/probe/main.c,$(PROBE_SOURCES)))
