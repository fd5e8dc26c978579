# The image brings its own Node: the pinned runtimes of package.json are for machines without one.
FROM node:26.10.0-bookworm-slim AS console
WORKDIR /assay
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run console

FROM node:26.10.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /assay
COPY package.json package-lock.json ./
# The tap asks the kernel for round trips through iproute2's ss.
RUN apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force
COPY collectors ./collectors
COPY models ./models
COPY src ./src
COPY --from=console /assay/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 7070 3333 2055/udp 6343/udp
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7070/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["run", "--config", "/etc/assay/assay.yaml"]
