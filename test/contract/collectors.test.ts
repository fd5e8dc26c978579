import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe } from "vitest";
import { createCkpool } from "../../collectors/pools/ckpool.ts";
import { createPublicPool } from "../../collectors/pools/public-pool.ts";
import { createPublicPoolRest } from "../../collectors/pools/public-pool-rest.ts";
import { createSri } from "../../collectors/pools/sri.ts";
import { createXmrigProxy } from "../../collectors/pools/xmrig-proxy.ts";
import { openJournal } from "../../src/bus/journal.ts";
import { writeObservation } from "../../src/core/observation.ts";
import { serveJson } from "../collectors/pools/serve-json.ts";
import { shareLine } from "../collectors/pools/share-log.ts";
import { shareOf } from "../support/shares.ts";
import { collectorContract } from "./collector.ts";

let directory: string;
let closing: (() => unknown)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "assay-contract-"));
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  rmSync(directory, { recursive: true });
});

const FOR_EVER = 3_600_000;
const NOW = Date.parse("2026-11-23T00:00:00Z");
const options = { name: "source", pool: "p", algorithm: "sha256d", pollMs: FOR_EVER, now: () => NOW };

async function served(answer: (path: string) => unknown) {
  const server = await serveJson(({ pathname }) => answer(pathname));
  closing.push(server.stop);
  return server.url;
}
const NOWHERE = "http://127.0.0.1:1";

describe("ckpool", () => {
  collectorContract(async () => {
    for (const height of ["70", "71"]) {
      mkdirSync(join(directory, height));
      for (const id of ["1", "2", "3"]) {
        writeFileSync(
          join(directory, height, `${height}${id}.sharelog`),
          shareLine({ username: id }).repeat(1500),
        );
      }
    }
    return {
      expected: 9000,
      open: () => createCkpool({ ...options, directory }),
      openBroken: () => createCkpool({ ...options, directory: join(directory, "none") }),
    };
  });
});

describe("journal", () => {
  collectorContract(async () => {
    const journal = await openJournal({
      directory,
      maxBytes: 64 * 1024 * 1024,
      segmentBytes: 65_536,
      now: () => 1,
    });
    closing.push(() => journal.close());
    for (let entry = 0; entry < 30; entry += 1) {
      const lines = Array.from({ length: 400 }, (_, atMs) =>
        writeObservation(shareOf({ atMs, account: `a${entry}` })),
      );
      await journal.append({ source: "s", lines });
    }
    return {
      expected: 12_000,
      open: () => journal.reader("journal"),
      openBroken: () => {
        for (const name of readdirSync(directory)) rmSync(join(directory, name));
        return journal.reader("journal");
      },
    };
  });
});

describe("public-pool", () => {
  collectorContract(async () => {
    const file = join(directory, "pool.sqlite");
    const database = new DatabaseSync(file);
    closing.unshift(() => database.close());
    database.exec(`CREATE TABLE client_entity (address, clientName, sessionId, userAgent);
      CREATE TABLE client_statistics_entity (createdAt, updatedAt, id INTEGER PRIMARY KEY, address, clientName, sessionId, time, shares, acceptedCount)`);
    const insert = database.prepare(
      "INSERT INTO client_statistics_entity VALUES ('2026-11-22 22:30:00', '2026-11-22 22:39:00', NULL, 'bc1', 'rig', ?, 1795386600000, 60, 60)",
    );
    for (let session = 0; session < 120; session += 1) insert.run(`s${session}`);
    return {
      expected: 7200,
      open: () => createPublicPool({ ...options, file }),
      openBroken: () => createPublicPool({ ...options, file: join(directory, "none") }),
    };
  });
});

describe("public-pool by its interface", () => {
  collectorContract(async () => {
    const url = await served((path) => {
      if (!path.endsWith("/rig")) return { workers: [{ name: "rig" }] };
      return { chartData: [{ label: "2026-11-22T22:20:00.000Z", data: 1e6 }] };
    });
    const addresses = ["bc1a", "bc1b", "bc1c"];
    return {
      expected: 3,
      open: () => createPublicPoolRest({ ...options, url, addresses }),
      openBroken: () => createPublicPoolRest({ ...options, url: NOWHERE, addresses }),
    };
  });
});

describe("xmrig-proxy", () => {
  collectorContract(async () => {
    const url = await served((path) => {
      if (path === "/1/summary") return { version: "6.26.0", uptime: 1 };
      if (path === "/1/workers") return { mode: "rig_id", workers: [] };
      return { miners: [[1, "192.0.2.1", 0, 0, 2, 100, "user", "x", "rig", "XMRig"]] };
    });
    return {
      expected: 1,
      open: () => createXmrigProxy({ ...options, url }),
      openBroken: () => createXmrigProxy({ ...options, url: NOWHERE }),
    };
  });
});

describe("sri", () => {
  collectorContract(async () => {
    const channels = {
      limit: 100,
      total_extended: 0,
      total_standard: 0,
      extended_channels: [],
      standard_channels: [],
    };
    const url = await served((path) => {
      if (path === "/api/v1/global") return { uptime_secs: 1, sv1_clients: {} };
      if (path === "/api/v1/server/channels") return channels;
      return { total: 1, items: [{ client_id: 1, connection_ip: "192.0.2.1", sv1_username: "a.b" }] };
    });
    return {
      expected: 1,
      open: () => createSri({ ...options, url }),
      openBroken: () => createSri({ ...options, url: NOWHERE }),
    };
  });
});
