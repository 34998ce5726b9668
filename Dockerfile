# The program alone, static. Run it on a checkout:
#   docker run --rm -v "$PWD:/src:ro" -w /src portplan check
# and on the machine that it runs on:
#   docker run --rm --network host --pid host -v /var/run/docker.sock:/var/run/docker.sock portplan list --live
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock README.md ./
COPY src src
COPY schemas schemas
COPY docs docs
# the benches are named in Cargo.toml
COPY benches benches
RUN cargo build --locked --profile dist

FROM scratch
COPY --from=build /src/target/dist/portplan /portplan
ENTRYPOINT ["/portplan"]
CMD ["check"]
