# SPDX-License-Identifier: Apache-2.0
# The soak, and everything again under ThreadSanitizer.

SOAK_SOURCES := tests/soak/soak.c tests/soak/acts.c
SOAK_OUT := $(BUILD)/tests/soak
SOAK_PROGRAMS := $(addprefix $(SOAK_OUT)/,soak soak-static)
# Seconds; the sanitizers' own memory is no leak.
SECONDS ?= 20

$(SOAK_OUT)/soak: $(SOAK_SOURCES) $(ESCAPE_HEADERS) tests/soak/soak.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -o $@ $(SOAK_SOURCES) -pthread

$(SOAK_OUT)/soak-static: $(SOAK_SOURCES) $(ESCAPE_HEADERS) tests/soak/soak.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ESCAPE_CFLAGS) -DRAW -static -o $@ $(SOAK_SOURCES) -pthread

.PHONY: check-soak check-thread
check-soak: all $(SOAK_PROGRAMS) $(ESCAPE_OUT)/tool ## 200 processes in one session (SECONDS=600 for the long run)
	$(Q)$(PYTHON) tests/soak/run.py $(BUILD) --seconds $(SECONDS) $(if $(filter-out release,$(CONFIG)),--slack 65536)

# A report ends the program with status 66, so the test that met it fails.
check-thread: export TSAN_OPTIONS := halt_on_error=1
check-thread: ## live tests, races, parity and the soak under ThreadSanitizer
	@+$(MAKE) --no-print-directory CONFIG=thread BUILD=$(if $(filter thread,$(CONFIG)),$(BUILD),build/thread) \
		check-unit check-live check-race check-parity check-soak LOOPS=500
