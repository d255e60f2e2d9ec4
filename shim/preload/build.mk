# SPDX-License-Identifier: Apache-2.0
# libremit.so: its own sources and the decision, compiled once more with its own flags. It is built
# without sanitizers, fortification and LTO in every configuration: it must load into any program.

SHIM_SOURCES := $(PRELOAD) $(CORE)
SHIM_OBJECTS := $(patsubst %.c,$(BUILD)/preload/%.o,$(SHIM_SOURCES))
SHIM_MAP := shim/preload/exports.map

# Of the user's flags only what cannot bring in a run-time library.
SHIM_FOREIGN := -fsanitize% -fno-sanitize% -flto% -pg -fprofile% --coverage -fstack-protector% -D_FORTIFY_SOURCE%
SHIM_CFLAGS = -std=gnu17 -fno-common $(WARNINGS) -I. -D_GNU_SOURCE $(if $(WERROR),-Werror) \
	$(shell $(PKG_CONFIG) --cflags libxxhash 2>/dev/null) \
	$(filter-out $(SHIM_FOREIGN),$(CFLAGS)) -U_FORTIFY_SOURCE -fno-stack-protector \
	-fPIC -fvisibility=hidden -fno-lto -fasynchronous-unwind-tables -fno-exceptions -fno-math-errno
# Two segments instead of four: each is a call of the loader's and some page faults at every exec.
SHIM_LDFLAGS := -shared -nostdlib -Wl,-soname,libremit.so -Wl,--version-script=$(SHIM_MAP) \
	-Wl,-z,initfirst,-z,now,-z,relro,-z,noexecstack,-z,nodelete -Wl,--hash-style=both \
	-Wl,-z,text -Wl,-z,noseparate-code

$(BUILD)/preload/shim/preload/strings.o: SHIM_EXTRA := -fno-builtin

$(BUILD)/preload/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $< (shim)")
	$(Q)$(CC) $(SHIM_CFLAGS) $(SHIM_EXTRA) -MMD -MP -c -o $@ $<

$(BUILD)/libremit.so: $(SHIM_OBJECTS) $(SHIM_MAP)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(SHIM_LDFLAGS) -o $@ $(SHIM_OBJECTS)
