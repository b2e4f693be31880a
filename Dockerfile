# A-IO with its bundled pair of models (docs/install.md):
#   docker build -t aio .
#   docker run --rm -p 127.0.0.1:8080:8080 aio
FROM debian:bookworm-slim AS build
WORKDIR /src
# First what changes least.
COPY scripts/install-deps scripts/
RUN scripts/install-deps package && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make deb

FROM debian:bookworm-slim
# The package brings its dependencies and the user aio.
COPY --from=build /src/build/package/aio_*.deb /tmp/
RUN apt-get update -qq \
  && apt-get install -y -qq --no-install-recommends /tmp/aio_*.deb \
  && rm -rf /tmp/aio_*.deb /var/lib/apt/lists/* \
  && install -d -o aio -g aio -m 0700 /var/lib/aio
USER aio
WORKDIR /var/lib/aio
VOLUME /var/lib/aio
EXPOSE 8080
STOPSIGNAL SIGTERM
# /ready answers without a key. With TLS, give a check of your own: --health-cmd.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["aio"]
# Inside a container, loopback is nobody's: who may reach the port, `docker run -p` says.
CMD ["serve", "--host", "0.0.0.0"]
