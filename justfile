# What people who work on portplan type often. `just` lists it.

_list:
    @just --list

# what must pass before a change lands, real engine included (root, Debian)
ci:
    .ci/run

# the tests that need nothing but Rust
test *args:
    cargo test --locked {{args}}

# format and lints
lint:
    cargo fmt
    cargo clippy --locked --all-targets -- -D warnings

# the files that are made from the code: rules' pages, schemas, snapshots
bless:
    PORTPLAN_BLESS=1 INSTA_UPDATE=always cargo test --locked --test it

# times, as ratios against a reference
bench name="process":
    cargo bench --bench {{name}}

# what a release has for a target: wheels, and an archive
package target="x86_64-unknown-linux-musl":
    ci/package {{target}}

# the book and its links, licences and sources of dependencies, workflows and scripts
around:
    .ci/around

# the picture in the README, from a real run
cast:
    python3 ci/cast.py
