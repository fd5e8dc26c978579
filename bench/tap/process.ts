import { createTap } from "../../collectors/stratum/tap.ts";

/** A tap as its own process: forwards to the port given, decodes everything and hands its batches to nobody. */
const tap = createTap({
  name: "bench",
  listen: { host: "127.0.0.1", port: 0 },
  upstream: { host: "127.0.0.1", port: Number(process.argv[2]) },
  pool: "bench",
  algorithm: "sha256d",
  proxyProtocol: { accept: false, from: [], emit: "off" },
  maxConnections: 20_000,
  maxConnectionsPerAddress: 20_000,
  maxLineBytes: 65_536,
  idleMs: 900_000,
  log: () => {},
  onListening: ({ port }) => process.send!({ port }),
});
for await (const batch of tap.collect(new AbortController().signal)) {
  if (batch.refusals) process.stderr.write(`${JSON.stringify(batch.refusals)}\n`);
}
