# The front door. `make help` lists what there is.

CACHE := $(or $(FASTIO_CACHE),$(HOME)/.cache/fastio-operator)
RUST := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)

# Build caches are outside of the work tree, keyed by compiler version: a fresh clone finds them warm.
export CARGO_TARGET_DIR ?= $(CACHE)/target/$(RUST)
export PYTHONDONTWRITEBYTECODE := 1

CLUSTER := PYTHONPATH=tests/cluster python3 -m cluster
VENV := $(CACHE)/python/$(shell sha256sum tests/e2e/requirements.txt | cut -c1-12)
WORLD := PYTHONPATH=tests:tests/cluster $(VENV)/bin/python -m world
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(CACHE)/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
CRD_FOLDERS := crds/yaml charts/fastio-operator/files/crds
PYTEST_WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo demo-upload up install images down status tools test lint test-unit test-chart test-world test-vectors \
	test-page test-fuzz test-e2e bench generate check-generated prerequisites

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

# --- The world to play with ---------------------------------------------------------------------------------------

demo: install ## Bring up cluster, Temporal and a simulated Fast.io, install the chart, send a photograph through
	@$(WORLD) demo

demo-upload: ## Send a file of your own through the demo: make demo-upload FILE=picture.jpg
	@test -f "$(FILE)" || { echo 'usage: make demo-upload FILE=path/to/picture.jpg' >&2; exit 2; }
	@$(WORLD) upload "$(FILE)"

up: ## Bring up the one-node cluster and Temporal, nothing of ours in it
	@$(CLUSTER) up

install: prerequisites $(VENV) ## Bring up everything and install the chart, without the examples
	@$(WORLD) install

images: prerequisites ## Write the four images as OCI archives: make images IMAGES=dist
	@PYTHONPATH=tests:tests/cluster python3 -m world images $(or $(IMAGES),dist)

down: ## Take everything down; only caches stay
	@$(CLUSTER) down

status: ## Show what runs
	@$(CLUSTER) status

# --- Tests --------------------------------------------------------------------------------------------------------

test: prerequisites ## Every test. Takes the world down again, unless it was up before or KEEP=1
	@bash tests/run

lint: $(CARGO_DENY) ## Formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	$(CARGO_DENY) --log-level error --all-features --locked check bans licenses sources

# The tests of the feed start a Temporal of their own: without its program they would be skipped.
test-unit: tools ## Unit tests of every crate
	cargo test --workspace --locked

test-chart: tools $(VENV) ## Lint and render the chart
	@PYTHONPATH=tests:tests/cluster $(VENV)/bin/python -m pytest -q -c tests/e2e/pytest.ini charts/tests

test-world: $(VENV) ## Unit tests of the scripts of the cluster and of the benches
	@PYTHONPATH=tests:tests/cluster:tests/bench $(VENV)/bin/python -m pytest -q tests/cluster/tests tests/bench/tests

test-vectors: ## The signature vectors, by implementations in Python and Node that share nothing with ours
	python3 tests/vectors/make_signatures.py --check
	python3 tests/vectors/check_signatures.py
	node tests/vectors/check_signatures.mjs

test-page: ## The script of the simulator's page, on a document of its own
	@node --test tests/simulator/tests/page/page.test.mjs

test-fuzz: ## A short run of each fuzz target
	@fuzz/run all

test-e2e: install ## End-to-end tests on the real cluster
	@$(WORLD) test -m "not outage" -n $(PYTEST_WORKERS) $(ARGS)
	@$(WORLD) test -m outage $(ARGS)

# --- Measurements -------------------------------------------------------------------------------------------------

bench: prerequisites ## Measure the receiver against its peers, write docs/benchmarks.md (about 20 minutes on an idle machine)
	@PYTHONPATH=tests:tests/cluster:tests/bench python3 -B -m bench $(ARGS)

# --- What is generated --------------------------------------------------------------------------------------------

generate: ## Write the CRDs for crds/ and the chart
	cargo run --quiet --locked --package fastio-crds --bin crdgen -- $(CRD_FOLDERS)

check-generated: ## Fail if generated files are not what their sources say
	cargo run --quiet --locked --package fastio-crds --bin crdgen -- --check $(CRD_FOLDERS)

# --- What the targets need ----------------------------------------------------------------------------------------

prerequisites:
	@$(CLUSTER) prerequisites

tools: prerequisites
	@$(CLUSTER) tools >/dev/null

$(VENV): tests/e2e/requirements.txt
	@echo "Installing the Python packages of the tests …"
	@rm -rf $@.partial && python3 -m venv $@.partial
	@$@.partial/bin/pip install --quiet --no-deps --disable-pip-version-check --requirement $<
	@rm -rf $@ && mv $@.partial $@ && touch $@

$(CARGO_DENY):
	@echo "Building cargo-deny $(CARGO_DENY_VERSION) (about four minutes, once) …"
	CARGO_TARGET_DIR=$(CACHE)/target/cargo-deny cargo install --quiet --locked --debug --version $(CARGO_DENY_VERSION) \
		--root $(CACHE)/tools/cargo-deny-$(CARGO_DENY_VERSION) cargo-deny
	@rm -rf $(CACHE)/target/cargo-deny
