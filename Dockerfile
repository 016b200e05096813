# Espalier's server, its workers and its CLI. Data lies in /data; `docker run … doctor` runs another command than serve.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node scripts/build.mjs

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production ESPALIER_HOME=/data
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force && mkdir /data && chown node /data
COPY schema schema
COPY migrations migrations
COPY scripts/demo scripts/demo
COPY --from=build /app/dist dist
USER node
VOLUME /data
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
