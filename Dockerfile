# The image of a server on its default model: docker build -t hydrophone .
#
# Flags after the image's name, or environment variables (HYDROPHONE_MODEL=/models/gpt2), choose another
# model and other settings; `docker run hydrophone --help` lists them.

FROM debian:bookworm-slim AS build
WORKDIR /hydrophone
# The files that change least are copied first, so that a change of the sources repeats neither download.
COPY deploy/lib/install.sh deploy/lib/
COPY deploy/image/build.sh deploy/image/
RUN deploy/image/build.sh tools
RUN deploy/image/build.sh libtorch
COPY CMakeLists.txt LICENSE ./
COPY proto proto
COPY server server
COPY client/cpp client/cpp
RUN deploy/image/build.sh programs
RUN deploy/image/build.sh collect

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Hydrophone" \
      org.opencontainers.image.description="Listens to a language model's residual stream over gRPC" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/run-time-packages /usr/local/share/hydrophone/
RUN apt-get update -q \
 && xargs -a /usr/local/share/hydrophone/run-time-packages \
    apt-get install -y -q --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
# libtorch has a layer of its own: this largest layer stays the same when only the programs change.
COPY --from=build /image/usr/local/lib/hydrophone /usr/local/lib/hydrophone
COPY --from=build /image/usr/local/share /usr/local/share
COPY --from=build /image/usr/local/bin /usr/local/bin

# The user is a number, so that Kubernetes can tell that it is not root. The server writes no files.
USER 65532:65532
# Nothing outside a container reaches its loopback, so the server listens on all of its addresses, as open as the network
# that it is started in; the log warns of it. README.md's "Security" says what closes it.
ENV HYDROPHONE_LISTEN=0.0.0.0:50051 \
    HYDROPHONE_METRICS_LISTEN=0.0.0.0:9464 \
    HYDROPHONE_INSECURE=true \
    HYDROPHONE_INSECURE_METRICS=true
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["hydrophone-server"]
