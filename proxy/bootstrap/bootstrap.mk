# bootstrap.mk - the bootstrap as one small static program

BOOT   := $(B)/static
BOOT_C := $(PURE_SRC) $(wildcard proxy/bootstrap/*.c) \
          $(patsubst %,proxy/net/%.c,client client_link client_read \
              client_server loop mail wheel) \
          $(patsubst %,proxy/function/cgi_%.c,environment path response)

#: make bootstrap    build/bootstrap: CGI programs and web servers as Lambda functions
bootstrap: $(B)/bootstrap

$(BOOT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ABT_CPPFLAGS) -std=c11 -Os $(WARNINGS) -ffunction-sections \
	    -fdata-sections -fno-asynchronous-unwind-tables -pthread $(CFLAGS) \
	    -MMD -MP -c -o $@ $<

$(BOOT)/libbootstrap.a: $(filter-out $(BOOT)/$(BOOT_SRC:.c=.o),$(BOOT_C:%.c=$(BOOT)/%.o))
	rm -f $@
	ar rcs $@ $^

# Only what it refers to is linked: no OpenSSL, no resolver.  What is cut is
# never called here: names are not looked up, no result is compressed, C has no
# exceptions to unwind.
BOOT_CUT := getaddrinfo freeaddrinfo getprotobynumber getservbyname sscanf \
            __isoc99_sscanf deflate deflateInit2_ deflateEnd inflate \
            inflateInit2_ inflateEnd __assert_fail _Unwind_Resume \
            __gcc_personality_v0

$(B)/bootstrap: $(BOOT)/$(BOOT_SRC:.c=.o) $(BOOT)/libbootstrap.a
	$(CC) -static -s -pthread -Wl,--gc-sections,--build-id=none \
	    -Wl,-z,noseparate-code,-z,norelro \
	    $(BOOT_CUT:%=-Wl,--defsym,%=abort) \
	    -Wl,--defsym,__dcgettext=abt_untranslated -Wl,-u,abt_untranslated \
	    -o $@ $^ -levent_core -lyajl_s

.PHONY: bootstrap
