# The program alone, static, as the archive of the release has it. `ci/image` lays it out:
#   ci/package x86_64-unknown-linux-musl && ci/image dist image
#   docker build --build-arg TARGETARCH=amd64 -t portplan -f Dockerfile image
# Run it on a checkout:
#   docker run --rm -v "$PWD:$PWD:ro" -w "$PWD" portplan check
# and on the machine that it runs on:
#   docker run --rm --network host --pid host -v /var/run/docker.sock:/var/run/docker.sock portplan list --live
# There is no git in it, which --since, diff and --worktrees need.
FROM scratch
# set by BuildKit
ARG TARGETARCH
COPY ${TARGETARCH}/portplan /portplan
ENTRYPOINT ["/portplan"]
CMD ["check"]
