#!/bin/sh
# tests/lint/banned.sh - calls that have no safe use, and memory that the
# failing-allocator sweep would not see
unsafe='strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|sscanf|atoi|atol|atoll|atof|strtok|strtok_r|localtime|gmtime|ctime|asctime|gets|alloca|tmpnam|mktemp'
memory='malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf'

# file:line:text of all sources without comments and strings
lines() {
	git ls-files '*.c' '*.h' | while read -r file; do
		[ -e "$file" ] || continue
		sed -e 's|"[^"]*"||g' -e 's|/\*.*\*/||g' -e 's|/\*.*||' \
		    -e 's|^[[:space:]]*\*[[:space:]/].*||' -e 's|//.*||' "$file" |
		    grep -nE '\(' | sed "s|^|$file:|"
	done
}
calls() {
	grep -E "(^|[^A-Za-z0-9_>.])($1)[[:space:]]*\("
}

all=$(lines)
bad=$(printf '%s\n' "$all" | calls "$unsafe")
hidden=$(printf '%s\n' "$all" | grep '^proxy/' |
    grep -v '^proxy/base/arena\.c:' | calls "$memory")
[ -z "$bad" ] || printf 'never to be called:\n%s\n' "$bad"
[ -z "$hidden" ] || printf 'abt_malloc and friends instead of:\n%s\n' "$hidden"
[ -z "$bad$hidden" ]
