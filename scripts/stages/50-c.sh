# C programs under AddressSanitizer.
# timeout: 900
set -euo pipefail
exec scripts/test_c.sh
