# SPDX-License-Identifier: Apache-2.0
# install and uninstall: the command, the shim, the self-test's program, the profiles, the manual, the completion. Honours
# DESTDIR, PREFIX and each folder by its own variable. The command carries LIBDIR and PROFILEDIR
# within it, so other values than those of the last `make` build what carries them again.

INSTALL_PROFILES := $(wildcard policy/profiles/*.yaml)
MAN1 := tools/man/remit.1
MAN5 := tools/man/remit.yaml.5

.PHONY: install uninstall
install: all ## install below PREFIX (DESTDIR is honoured)
	$(Q)$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(PROFILEDIR)' \
		'$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(MANDIR)/man5' '$(DESTDIR)$(COMPLETIONDIR)'
	$(Q)$(INSTALL) -m 0755 $(BUILD)/remit '$(DESTDIR)$(BINDIR)/remit'
	$(Q)$(INSTALL) -m 0644 $(BUILD)/libremit.so '$(DESTDIR)$(LIBDIR)/libremit.so'
	$(Q)$(INSTALL) -m 0755 $(BUILD)/remit-probe '$(DESTDIR)$(LIBDIR)/remit-probe'
	$(Q)$(INSTALL) -m 0644 $(INSTALL_PROFILES) '$(DESTDIR)$(PROFILEDIR)'
	$(Q)$(INSTALL) -m 0644 $(MAN1) '$(DESTDIR)$(MANDIR)/man1/remit.1'
	$(Q)$(INSTALL) -m 0644 $(MAN5) '$(DESTDIR)$(MANDIR)/man5/remit.yaml.5'
	$(Q)$(INSTALL) -m 0644 tools/completion/remit '$(DESTDIR)$(COMPLETIONDIR)/remit'

uninstall: ## remove what install put there
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/remit' '$(DESTDIR)$(LIBDIR)/libremit.so' '$(DESTDIR)$(LIBDIR)/remit-probe' \
		$(patsubst policy/profiles/%,'$(DESTDIR)$(PROFILEDIR)/%',$(INSTALL_PROFILES)) \
		'$(DESTDIR)$(MANDIR)/man1/remit.1' '$(DESTDIR)$(MANDIR)/man5/remit.yaml.5' \
		'$(DESTDIR)$(COMPLETIONDIR)/remit'
	$(Q)for folder in '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(PROFILEDIR)' '$(DESTDIR)$(dir $(PROFILEDIR))'; do \
		if [ -d "$$folder" ]; then rmdir --ignore-fail-on-non-empty "$$folder"; fi; done
