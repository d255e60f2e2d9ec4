# SPDX-License-Identifier: Apache-2.0
# Measurements, see tests/bench/README.md: a driver of calls in two builds, the other end of its network, Landlock by itself,
# decisions, and what instructions are counted of.

BENCH_OUT := $(BUILD)/tests/bench
BENCH_PROGRAMS := $(addprefix $(BENCH_OUT)/,bench_calls bench_calls_static bench_peer landlock_alone notify_alone bench_decide)
COUNT_PROGRAMS := $(addprefix $(BENCH_OUT)/,count_decide count_open)
BENCH_CFLAGS = -std=gnu17 -D_GNU_SOURCE -O2 $(WARNINGS) $(if $(WERROR),-Werror) -I.
PYTHON ?= python3

$(BENCH_OUT)/bench_calls: $(wildcard tests/bench/calls/*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^) -pthread

$(BENCH_OUT)/bench_calls_static: $(wildcard tests/bench/calls/*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) -static -o $@ $(filter %.c,$^) -pthread

$(BENCH_OUT)/bench_peer: tests/bench/peer.c
$(BENCH_OUT)/landlock_alone: tests/bench/landlock_alone.c
$(BENCH_OUT)/notify_alone: tests/bench/notify_alone.c
$(BENCH_OUT)/count_open: tests/bench/count_open.c
$(BENCH_OUT)/bench_peer $(BENCH_OUT)/landlock_alone $(BENCH_OUT)/notify_alone $(BENCH_OUT)/count_open:
	@mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) -o $@ $<

$(BENCH_OUT)/bench_decide: $(BENCH_OUT)/decide/bench.o
$(BENCH_OUT)/count_decide: $(BENCH_OUT)/decide/count.o
$(BENCH_OUT)/bench_decide $(BENCH_OUT)/count_decide: $(BENCH_OUT)/decide/scopes.o $(LIB)
	$(Q)$(CC) -pie $(REMIT_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(REMIT_LIBS)

.PHONY: bench bench-scale bench-peers check-instructions
bench: all $(BENCH_PROGRAMS) ## ratios to native, beside its peers: decisions, calls, programs (BENCH=short; BENCH_FLAGS="--json FILE --npm --agents")
	$(Q)$(PYTHON) tests/bench/run.py $(if $(filter short,$(BENCH)),--short) $(BENCH_FLAGS) $(BUILD)

PLOTS ?= $(BENCH_OUT)/plots

bench-scale: all $(BENCH_PROGRAMS) ## the price of a call against rules, depth, processes, threads, cpus; plots in PLOTS
	$(Q)$(PYTHON) tests/bench/scale.py $(if $(filter short,$(BENCH)),--short) --plots $(PLOTS) $(BENCH_FLAGS) $(BUILD)

bench-peers: ## installs what `make bench` compares with
	@tools/dev/packages bench
	@mkdir -p $(BENCH_OUT)/peers
	@cd $(BENCH_OUT)/peers && echo '{}' > package.json && npm install --silent --no-audit --no-fund \
		@anthropic-ai/sandbox-runtime @openai/codex

check-instructions: all $(COUNT_PROGRAMS) ## instructions per decision and open hook against a budget (UPDATE=1 writes it)
	$(Q)$(PYTHON) tests/bench/instructions.py $(if $(UPDATE),--update) $(BUILD) || test $$? -eq 77
