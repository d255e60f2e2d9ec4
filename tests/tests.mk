# SPDX-License-Identifier: Apache-2.0
# Each tests/unit/test_*.c is one program on the check library, linked with everything but tools/.

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) -pie $(REMIT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(REMIT_LIBS)

.SECONDARY: $(UNIT:=.o)
.PHONY: check-unit
check-unit: $(UNIT) ## unit tests
	@for t in $(UNIT); do echo "  TEST    $$t"; $$t || exit 1; done

-include tests/escapes.mk tests/fault.mk
-include tests/soak.mk tests/places.mk

# Everything below needs the built command; each runner ends with "N passed, N failed".
.PHONY: check check-all check-fuzz check-user check-profiles check-cli check-live check-shim check-agents check-conformance check-sanitize check-clang
check: ## install what the tests need, build, and run them
	@tools/dev/packages test
	@+$(MAKE) --no-print-directory $(PARALLEL) built-all
	@+$(MAKE) --no-print-directory check-all

# So that the tests find them.
.PHONY: built built-all
built: all $(UNIT)
built-all: built $(ESCAPE_PROGRAMS) $(PARITY_PROGRAMS) $(RACE_PROGRAMS) $(SOAK_PROGRAMS) $(FAULT_BUILD)/remit-fault

check-all: all check-unit check-profiles check-fuzz check-cli check-live check-shim check-parity check-race check-escapes check-soak check-fault check-places-short check-instructions

check-fuzz: all ## the corpora of the fuzz targets, replayed
	@tests/fuzz/run $(BUILD)

check-user: ## the live tests once more as an ordinary user (as root only: makes the user remit-check)
	@tools/dev/as-user $(MAKE) --no-print-directory check-unit check-cli check-live check-shim check-parity check-escapes

check-profiles: all ## the inline tests of every example and profile
	@tests/table/run $(BUILD)/remit

check-cli: all ## the command: options, messages, exit codes
	@tests/cli/run $(BUILD)/remit

check-live: all ## sessions: environment, signals, terminals, limits, survivors
	@tests/live/run $(BUILD)

check-shim: all ## the preload library in real programs
	@tools/dev/check-shim $(BUILD)/libremit.so
	@tests/live/shim/run $(BUILD)

check-agents: all ## pi and Codex inside their manifests (installs them with npm)
	@tools/dev/packages agents
	@tests/agents/run $(BUILD)/remit

# A job is unprivileged, so the build is copied; GROUP is fast, python, programs, root or all.
GROUP ?= all

check-conformance: all ## programs that nobody here wrote, natively and inside (GROUP=fast for a minute of it)
	@tools/dev/packages conformance
	@tests/conformance/run.py $(BUILD) --group $(GROUP)

check-sanitize: ## unit and live tests under ASan and UBSan
	@+$(MAKE) --no-print-directory $(PARALLEL) CONFIG=sanitize built
	@+$(MAKE) --no-print-directory CONFIG=sanitize check-unit check-profiles check-cli check-live

check-clang: ## both compilers, no warnings
	@+$(MAKE) --no-print-directory $(PARALLEL) CC=gcc WERROR=1 BUILD=build/gcc all
	@+$(MAKE) --no-print-directory $(PARALLEL) CC=clang WERROR=1 BUILD=build/clang all

-include tests/bench.mk
