# The header and the libraries as a C or C++ program meets them.
# timeout: 900
set -euo pipefail
make --no-print-directory lib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lib=build/lib/libmilena.so
strict=(-Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only)

echo "the header is C11 and C++17"
echo '#include "milena.h"' >"$work/header.c"
cc -std=c11 "${strict[@]}" "$work/header.c"
c++ -std=c++17 "${strict[@]}" -x c++ "$work/header.c"

echo "the library exports what the header declares, and nothing else"
cc -std=c11 -Iinclude -E -P "$work/header.c" | grep -o '\bmilena_[a-z0-9_]*(' | tr -d '(' | sort -u >"$work/declared"
nm -D --defined-only "$lib" | awk '{ print $3 }' | sort -u >"$work/exported"
grep -q '^milena_' "$work/exported"
diff "$work/declared" "$work/exported"

echo "soname and flags"
readelf -d "$lib" >"$work/dynamic"
grep -q 'SONAME.*\[libmilena\.so\.0\]' "$work/dynamic"
grep -q 'FLAGS_1.*NODELETE' "$work/dynamic"

echo "make install, and a program built by pkg-config"
make --no-print-directory install DESTDIR="$work/root" PREFIX=/opt/milena >/dev/null
test -f "$work/root/opt/milena/include/milena.h"
grep -qx 'prefix=/opt/milena' "$work/root/opt/milena/lib/pkgconfig/milena.pc"
make --no-print-directory install PREFIX="$work/prefix" >/dev/null
cat >"$work/program.c" <<'C'
#include <milena.h>
#include <stdio.h>

int main(void) {
    puts(milena_version());
    return 0;
}
C
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs milena)"
cc -std=c11 -Wall -Wextra -Werror -o "$work/shared" "$work/program.c" "${flags[@]}"
readelf -d "$work/shared" | grep -q 'NEEDED.*\[libmilena\.so\.0\]'
LD_LIBRARY_PATH=$work/prefix/lib "$work/shared"
read -ra private <<<"$(sed -n 's/^Libs.private: //p' "$PKG_CONFIG_PATH/milena.pc")"
cc -std=c11 -I"$work/prefix/include" -o "$work/static" "$work/program.c" "$work/prefix/lib/libmilena.a" "${private[@]}"
"$work/static"
