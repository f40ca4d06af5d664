# The Go wrapper: format, vet, and its tests under the race detector.
# timeout: 900
set -euo pipefail
make --no-print-directory lib
export PKG_CONFIG_PATH=$PWD/build/lib/pkgconfig LD_LIBRARY_PATH=$PWD/build/lib CGO_ENABLED=1
cd bindings/go
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt would change: $unformatted" >&2; exit 1; }
go vet ./...
go test -race -count=1 ./...
