# Unverified: written without a container engine at hand. See README.md, "Docker".
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages stay: DuckDB's engine is one of them.
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    RIPEN_DATA_DIR=/var/lib/ripen
WORKDIR /app
RUN install --directory --owner=node --group=node "$RIPEN_DATA_DIR"
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY connectors ./connectors
COPY jobs ./jobs
COPY sandbox ./sandbox
COPY mappings ./mappings
USER node
VOLUME ["/var/lib/ripen"]
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RIPEN_PORT || 4000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/app/cli/ripen.ts"]
CMD ["serve"]
