# SPDX-License-Identifier: Apache-2.0
# Unlike places and lacking features: in make check with a selection of the ways out, else with all of them.

.PHONY: check-places check-places-short
check-places: all $(ESCAPE_PROGRAMS) ## containers, lacking kernel features, odd users; all ways out again for each feature (an hour)
	$(Q)$(PYTHON) tests/places/run.py $(BUILD) --whole

check-places-short: all $(ESCAPE_PROGRAMS)
	$(Q)$(PYTHON) tests/places/run.py $(BUILD)
