import { createSocket, type Socket } from "node:dgram";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ipfix, netflow9, PLAIN, plainRecord, set, template } from "../collectors/flows/encode.ts";
import { freePort, type Running, startAssay, until } from "../support/assay.ts";

/** Exporters send their templates every half hour or so: a service that was killed must not wait for them. */
let place: string;
let config: string;
let port: number;
let httpPort: number;
let exporter: Socket;
let service: Running;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "assay-templates-"));
  config = join(place, "assay.yaml");
  [port, httpPort] = [await freePort(), await freePort()];
  writeFileSync(
    config,
    `data: { directory: ${join(place, "data")} }
http: { port: ${httpPort} }
collectors: { flows: [{ name: flows, listen: { port: ${port} }, exporters: [127.0.0.1] }] }
`,
  );
  exporter = createSocket("udp4");
  await start();
});

afterEach(async () => {
  exporter.close();
  await service.end();
  rmSync(place, { recursive: true });
});

async function start(): Promise<void> {
  service = startAssay(["run", "--config", config]);
  await service.said("flows listening");
  await service.said("console and API listening");
}

const send = (datagram: Uint8Array) => exporter.send(datagram, port, "127.0.0.1");

/** Flows the exporter has brought, by the service's own count. */
async function flows(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/network`);
  const { exporters } = (await answer.json()) as { exporters: { flows: number }[] };
  return exporters[0]?.flows ?? 0;
}

describe("templates", () => {
  it.each([
    { version: "version 9", wrap: netflow9, templateSet: 0 },
    { version: "IPFIX", wrap: ipfix, templateSet: 2 },
  ])("of $version outlive a service that was killed", async ({ wrap, templateSet }) => {
    send(wrap([set(templateSet, template(256, PLAIN)), set(256, plainRecord())], nowHeader()));
    await until(async () => ((await flows()) === 1 ? true : undefined));
    await until(() => existsSync(join(place, "data/flows.templates.json")) || undefined);
    await service.kill();
    await start();
    send(wrap([set(256, plainRecord(), plainRecord())], { ...nowHeader(), sequence: 1 }));
    await until(async () => ((await flows()) === 2 ? true : undefined));
    expect(await flows()).toBe(2);
  });
});

const nowHeader = () => ({ seconds: Math.floor(Date.now() / 1000) });
