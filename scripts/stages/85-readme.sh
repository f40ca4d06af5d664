# The examples in README.md, as they stand there.
# timeout: 600
set -euo pipefail
make lib
exec python3 tests/readme.py
