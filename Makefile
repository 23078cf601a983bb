# `make demo` runs the main job, `make test` the tests; both install what is missing into .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo env check format test fuzz faults clean bench
.PHONY: bench-cost bench-freshness bench-ranking bench-recommend bench-retrieval bench-swaps bench-experiments

install: $(STAMP)

$(STAMP): pyproject.toml reshelf/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "reshelf needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ./reshelf -e '.[all,dev]'
	touch $@

# make demo DATA=path/to/online_retail.csv.gz runs the main job on real data instead of the simulated shop.
demo: install
	$(BIN)/reshelf demo $(if $(DATA),--data $(DATA))

# Secrets for compose.yaml, which only their owner reads; one that is there stays.
env:
	@test ! -e .env || (echo ".env is there: delete it first, and what was made with its secrets" >&2; exit 1)
	@umask 077; $(PYTHON) -c 'import secrets; t = secrets.token_urlsafe; print(f"POSTGRES_PASSWORD={t(24)}\nREDIS_PASSWORD={t(24)}\nRESHELF_API_KEYS={t(32)}\nRESHELF_FLOWER_BASIC_AUTH=reshelf:{t(24)}")' > .env

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Three processes, each with servers of its own: while one test waits, two compute. What takes longest comes first.
# Property tests take the same examples each time, so that a change is not refused for what it has not done.
test: install
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --hypothesis-profile=ci \
		--durations=10 --durations-min=5

# Property tests with examples that no run before has seen; they are repeated until one fails or ROUNDS are over.
ROUNDS ?= 10
fuzz: install
	for round in $$(seq $(ROUNDS)); do $(BIN)/python -m pytest -n 2 -m hypothesis --hypothesis-profile=fuzz || exit 1; done

# Kills intake workers while messages are sent, and counts the rows. make faults KILLS=500 MESSAGES=100000 SEED=7
KILLS ?= 100
MESSAGES ?= 20000
SEED ?= 1
faults: install
	$(BIN)/python -m tests.faults.killing --kills $(KILLS) --messages $(MESSAGES) --seed $(SEED)

# What there is to measure, and the command of each; the often used ones have a target of their own.
bench:
	@$(PYTHON) -m benchmarks

# What an event costs, process by process. make bench-cost BASE=<revision> runs that one in turn with this one.
bench-cost: install
	$(BIN)/python -m benchmarks.serving.cost --base "$(BASE)"

bench-freshness: install
	$(BIN)/python -m benchmarks.serving.freshness

bench-ranking: install
	$(BIN)/python -m benchmarks.recommend.ranking

# make bench-recommend DATA=folder with beauty/, sports/ and online_retail/; a second call goes on where one stopped.
bench-recommend: install
	$(BIN)/python -m benchmarks.recommend.accuracy --data $(DATA) --reports .reshelf/reports

bench-retrieval: install
	$(BIN)/python -m benchmarks.recommend.retrieval

bench-swaps: install
	$(BIN)/python -m benchmarks.serving.swaps

bench-experiments: install
	$(BIN)/python -m benchmarks.learn.experiments

clean:
	rm -rf .venv .reshelf build *.egg-info .mypy_cache .ruff_cache .pytest_cache
