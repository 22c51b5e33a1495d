# share/install.mk - make install: program, runtime clients, manual, completions

MANDIR   := $(DESTDIR)$(PREFIX)/share/man
BASHCOMP := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHCOMP  := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHCOMP := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
DOCDIR   := $(DESTDIR)$(PREFIX)/share/doc/albatross

#: make install      into PREFIX (default /usr/local), below DESTDIR if given
install: all man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/albatross \
	    $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7 $(BASHCOMP) \
	    $(ZSHCOMP) $(FISHCOMP) $(DOCDIR)
	install -m 755 $(B)/albatross $(DESTDIR)$(PREFIX)/bin/albatross
	cd share && find runtime -type f -exec install -D -m 644 {} \
	    $(DESTDIR)$(PREFIX)/share/albatross/{} \;
	install -m 644 man/albatross.1 $(MANDIR)/man1/
	install -m 644 man/albatross.conf.5 $(MANDIR)/man5/
	install -m 644 man/albatross-rules.7 $(MANDIR)/man7/
	$(B)/albatross _completion bash >$(BASHCOMP)/albatross
	$(B)/albatross _completion zsh >$(ZSHCOMP)/_albatross
	$(B)/albatross _completion fish >$(FISHCOMP)/albatross.fish
	install -m 644 README.md CHANGELOG.md LICENSE conf/albatross.json $(DOCDIR)/

#: make man          write man/ anew from the tables of the program
man: $(B)/albatross
	@mkdir -p man
	$(B)/albatross _man >man/albatross.1
	$(B)/albatross _man conf >man/albatross.conf.5
	$(B)/albatross _man rules >man/albatross-rules.7

.PHONY: man install
