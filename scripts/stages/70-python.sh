# The Python wrapper: its tests, and its wheel in an environment of its own, outside the tree.
# timeout: 900
set -euo pipefail
make --no-print-directory tools
python=$(scripts/venv.sh)
export MILENA_LIBRARY=$PWD/build/lib/libmilena.so PYTHONPATH=$PWD/bindings/python
# They wait more than they work: groups and their heartbeats beside all the rest.
slow=(bindings/python/tests/test_{aio,consumer,groups}.py)
pytest="$python -m pytest -q -p no:cacheprovider"
scripts/together.sh "$pytest ${slow[*]}" "$pytest bindings/python/tests ${slow[*]/#/--ignore=}"

rm -rf bindings/python/dist
make --no-print-directory wheel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index bindings/python/dist/*.whl
cd "$work"
env -u MILENA_LIBRARY -u PYTHONPATH -u LD_LIBRARY_PATH venv/bin/python -c '
import milena

with milena.EmbeddedCluster() as cluster:
    settings = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "wheel", "auto.offset.reset": "earliest"}
    with milena.Producer(settings) as producer:
        producer.send_many("letters", [str(i) for i in range(1000)])
    with milena.Consumer(settings) as consumer:
        consumer.subscribe(["letters"])
        values = []
        while len(values) < 1000:
            values += consumer.poll(20).values()
assert values == [b"%d" % i for i in range(1000)]
print("the wheel works outside the tree:", milena.__file__, milena.library_version())
'
