# What people, the README and CI call. `make help` lists it.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO ?= cargo
# For `make install`: where to, and which build (`dist` is the small and fast one).
PREFIX ?= /usr/local
PROFILE ?= dist
# Optional programs: `FEATURES=kerberos make install` adds yaopai-kerberos.
FEATURES ?=
BUILT = $${CARGO_TARGET_DIR:-target}/$(patsubst dev,debug,$(PROFILE))
ETC = $(DESTDIR)/etc/yaopai

.DEFAULT_GOAL := help
.PHONY: help setup install demo test lint bench bench-sync conformance conformance-update fuzz

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## installs everything that demo, test, lint and bench need
	@deploy/setup.sh all

install: ## puts binary, policies and systemd unit into place; keeps policies that are there (DESTDIR, PREFIX)
	@deploy/setup.sh demo
	$(CARGO) build --locked --profile $(PROFILE) --features "$(FEATURES)" --bins
	install -D -m 755 $(BUILT)/yaopai $(DESTDIR)$(PREFIX)/bin/yaopai
	$(if $(findstring kerberos,$(FEATURES)),install -D -m 755 $(BUILT)/yaopai-kerberos $(DESTDIR)$(PREFIX)/bin/yaopai-kerberos)
	install -d $(ETC)/policies
	install -d -m 700 $(DESTDIR)/var/lib/yaopai
	cp --no-clobber policies/* $(ETC)/policies/
	[ -e $(ETC)/data ] || ln -s ../../var/lib/yaopai $(ETC)/data
	install -D -m 644 deploy/systemd/yaopai.service $(DESTDIR)$(PREFIX)/lib/systemd/system/yaopai.service

demo: ## a sample company, the broker and two applications; walks the whole path, then keeps serving (DEMO_ONCE=1: ends)
	@deploy/setup.sh demo
	@$(CARGO) build --locked --bin yaopai --example demo
	@$(CARGO) run --quiet --locked --example demo

test: ## every test, on SQLite and PostgreSQL, with real outside programs
	@deploy/setup.sh test
	$(CARGO) test --locked --features kerberos --no-fail-fast

lint: ## format, clippy, links of the documentation, licences and bans
	@deploy/setup.sh lint
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --features kerberos --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" \
		$(CARGO) doc --quiet --locked --no-deps --document-private-items --lib
	PATH="$$PATH:$(CURDIR)/.setup/lint/bin" cargo-deny --locked --features kerberos check --hide-inclusion-graph bans licenses sources

bench: ## requests a second and CPU a request of every path, and a sync of 20,000 people
	@deploy/setup.sh bench
	$(CARGO) bench --locked --bench yaopai

bench-sync: ## a sync of 1,000, 20,000 and 100,000 people next to a bare dump (BENCH_PEOPLE=…: other sizes)
	@deploy/setup.sh bench
	BENCH_ONLY=sync BENCH_PEOPLE=$${BENCH_PEOPLE:-1000,20000,100000} $(CARGO) bench --locked --bench yaopai

# Every target of fuzz/, and how long each runs.
FUZZ_TARGETS ?= authorization_request request_object dpop_proof client_assertion redirect_uri claims_parameter
FUZZ_SECONDS ?= 60

# The instrumentation is not stable yet: `RUSTC_BOOTSTRAP` lets any toolchain do it, stable or nightly.
fuzz: ## every parser of outside bytes, a minute each (FUZZ_SECONDS=…, FUZZ_TARGETS=…)
	@deploy/setup.sh fuzz
	@cp Cargo.lock fuzz/Cargo.lock
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/target/corpus/$$target && \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$target fuzz/target/corpus/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 || exit 1; \
	done

conformance: ## which assertions of the conformance checklist are tested, by section
	@deploy/setup.sh demo
	@$(CARGO) test --quiet --locked --test it conformance::report -- --nocapture

conformance-update: ## writes tests/conformance.toml anew from what the tests cite
	@deploy/setup.sh demo
	@CONFORMANCE_UPDATE=1 $(CARGO) test --quiet --locked --test it conformance::
