# SPDX-License-Identifier: Apache-2.0
VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib/remit
PROFILEDIR ?= $(PREFIX)/share/remit/profiles
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=

CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CONFIG ?= release
BUILD ?= build/$(CONFIG)
# What is only built is built on all cpus, unless this make was told how many; tests run one after the other.
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
PARALLEL = $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(JOBS))

ifeq ($(V),1)
Q :=
else
Q := @
endif

PACKAGES := libseccomp yaml-0.1 libxxhash libsodium
ifneq ($(shell $(PKG_CONFIG) --exists $(PACKAGES) 2>/dev/null && echo yes),yes)
NEED_PACKAGES := yes
endif

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Wcast-qual -Wundef
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS ?= -O2 -g
REMIT_CFLAGS := -std=gnu17 -fno-common $(WARNINGS) -I. -D_GNU_SOURCE -DREMIT_VERSION='"$(VERSION)"' \
	-DREMIT_LIBDIR='"$(LIBDIR)"' -DREMIT_PROFILEDIR='"$(PROFILEDIR)"' $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
REMIT_LIBS := $(shell $(PKG_CONFIG) --libs libseccomp yaml-0.1 libsodium 2>/dev/null) -pthread
ifneq ($(WERROR),)
REMIT_CFLAGS += -Werror
endif
ifeq ($(CONFIG),sanitize)
REMIT_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
REMIT_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(CONFIG),thread)
REMIT_CFLAGS += -fsanitize=thread -fno-omit-frame-pointer
# Inside the program: its thread-local storage leaves no room for it beside LD_AUDIT.
REMIT_LDFLAGS := -fsanitize=thread $(if $(findstring clang,$(CC)),,-static-libtsan)
else
REMIT_CFLAGS += $(HARDENING)
REMIT_LDFLAGS :=
endif

CORE := $(wildcard policy/core/*.c)
COMPILE := $(wildcard policy/compile/*.c)
PLAN := $(wildcard policy/plan/*.c)
KERNEL := $(wildcard shim/kernel/*.c)
BROKER := $(wildcard shim/broker/*.c)
PRELOAD := $(wildcard shim/preload/*.c)
TOOLS := $(wildcard tools/*.c)
LIBRARY := $(CORE) $(COMPILE) $(PLAN) $(KERNEL) $(BROKER)

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB := $(BUILD)/libremit.a

.PHONY: all help clean
all: packages $(BUILD)/remit $(BUILD)/libremit.so ## build the command and the shim (CONFIG=release|sanitize|thread)

.PHONY: packages
packages:
ifeq ($(NEED_PACKAGES),yes)
	@echo "remit needs the development files of $(PACKAGES): sudo apt-get install libseccomp-dev libyaml-dev libxxhash-dev libsodium-dev pkg-config" >&2; exit 1
endif

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $<")
	$(Q)$(CC) $(REMIT_CFLAGS) $(CFLAGS) -fPIE -MMD -MP -c -o $@ $<

# What objects carry of where things will be: they are made again when that is said anew.
PLACES := $(VERSION) $(LIBDIR) $(PROFILEDIR)
.PHONY: FORCE
FORCE:
$(BUILD)/places: FORCE
	@mkdir -p $(@D) && echo '$(PLACES)' | cmp -s - $@ || echo '$(PLACES)' > $@
$(call obj,$(TOOLS)) $(BUILD)/shim/broker/record_session.o: $(BUILD)/places

$(LIB): $(call obj,$(LIBRARY))
	$(if $(Q),@echo "  AR      $@")
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/remit: $(call obj,$(TOOLS)) $(LIB)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now $(REMIT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(REMIT_LIBS)

# The shim: shim/preload/build.mk builds it from its own sources and policy/core, with its own flags.
-include shim/preload/build.mk
-include tools/probe/build.mk
-include tools/filters/build.mk
-include tests/tests.mk
-include tools/install.mk

.PHONY: demo
demo: ## install what is missing, build, and show an agent inside its manifest
	@tools/dev/packages build
	@+$(MAKE) --no-print-directory $(PARALLEL) all
	@examples/demo/run $(BUILD)

.PHONY: lint
lint: compile_commands.json ## what CI holds the sources to
	@tools/dev/packages lint
	@tools/dev/lint $(BUILD)

# A pseudo-build with the compiler's command lines, for editors and checkers.
compile_commands.json: export COMPILE = $(CC) $(REMIT_CFLAGS) $(CFLAGS)
compile_commands.json: Makefile $(wildcard policy/*/*.c shim/*/*.c tools/*.c)
	@tools/dev/compile-commands $(LIBRARY) $(TOOLS) $(PRELOAD) > $@

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

clean: ## remove what was built
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
