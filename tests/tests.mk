# SPDX-License-Identifier: Apache-2.0
# Each tests/unit/test_*.c is one program on the check library, linked with everything but tools/.

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) -pie $(REMIT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(REMIT_LIBS)

.PHONY: check-unit
check-unit: $(UNIT) ## unit tests
	@for t in $(UNIT); do echo "  TEST    $$t"; $$t || exit 1; done
