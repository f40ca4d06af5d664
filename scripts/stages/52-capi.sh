# The C API's own tests: what goes in comes out, and what a program may do wrong.
# timeout: 900
set -euo pipefail
make --no-print-directory lib
exec scripts/test_capi.sh
