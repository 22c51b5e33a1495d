# albatross - see README.md; `make help` lists the targets
#
# B is the build folder, so that builds stand side by side:
#   make                             build/albatross
#   make B=build-asan SAN=asan       AddressSanitizer and UBSan
#   make B=build-tsan SAN=tsan       ThreadSanitizer
#   make B=build-clang CC=clang      the other compiler

B       ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^.define ABT_VERSION "\(.*\)"/\1/p' include/albatross.h)

OPT      ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2 -Wvla -Werror
SAN      ?=
SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread -fno-omit-frame-pointer
SAN_fuzz := -fsanitize=fuzzer-no-link,address,undefined \
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANFLAGS := $(SAN_$(SAN))

ABT_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iproxy \
                -DABT_SHARE='"$(PREFIX)/share/albatross"' $(CPPFLAGS)
ABT_CFLAGS   := -std=c11 $(OPT) $(WARNINGS) -fvisibility=hidden -fPIC -pthread \
                -fstack-protector-strong $(SANFLAGS) $(CFLAGS)
ABT_LDFLAGS  := -pthread -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)
ABT_LIBS     := -levent_core -lssl -lcrypto -lyajl -lz $(LIBS)

BOOT_SRC := proxy/bootstrap/main.c
PURE     := base http route dialect
REST     := net function bootstrap gateway config cli
PURE_SRC := $(wildcard $(PURE:%=proxy/%/*.c))
REST_SRC := $(filter-out $(BOOT_SRC),$(wildcard $(REST:%=proxy/%/*.c)))
PURE_OBJ := $(PURE_SRC:%.c=$(B)/%.o)
REST_OBJ := $(REST_SRC:%.c=$(B)/%.o)
MAIN_OBJ := $(B)/proxy/cli/main.o

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT     := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
LIB_OBJ  := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY   := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/tests/replay_%)
FUZZ     := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(B)/fuzz/fuzz_%)

.PHONY: all help run check check-long check-fresh cases cases-live unit lint e2e \
        fuzz bench install clean format tests deps
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

all: $(B)/albatross

help:
	@sed -n 's/^#: //p' Makefile tests/tests.mk $(wildcard bench/bench.mk share/install.mk proxy/bootstrap/bootstrap.mk)

#: make              build the program as build/albatross
$(B)/albatross: $(PURE_OBJ) $(REST_OBJ)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ $(ABT_LIBS)

$(B)/libalbatross.a: $(PURE_OBJ)
	rm -f $@
	ar rcs $@ $^

# Everything but main(), for tests.
$(B)/liball.a: $(PURE_OBJ) $(filter-out $(MAIN_OBJ),$(REST_OBJ))
	rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ABT_CPPFLAGS) $(ABT_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/lib/%.o $(B)/tests/unit/%.o $(B)/tests/%.o: ABT_CPPFLAGS += -Itests

$(B)/tests/test_%: $(B)/tests/unit/test_%.o $(LIB_OBJ) $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ -lcmocka -lpcre2-8 $(ABT_LIBS)

$(B)/tests/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ $(ABT_LIBS)

$(B)/tests/cases: $(B)/tests/cases.o $(LIB_OBJ) $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ -lpcre2-8 $(ABT_LIBS)

include $(wildcard tests/tests.mk bench/bench.mk share/install.mk \
                   proxy/bootstrap/bootstrap.mk)

format:
	clang-format -i $$(git ls-files '*.c' '*.h'; git ls-files -o --exclude-standard '*.c' '*.h')

clean:
	rm -rf build build-*

-include $(shell find $(B) -name '*.d' 2>/dev/null)
