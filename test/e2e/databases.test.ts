import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeMmdb } from "../origin/write-mmdb.ts";
import { assay, freePort, type Running, startAssay, until } from "../support/assay.ts";

let place: string;
let server: Server;
let body: Buffer;
let running: Running | undefined;

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "assay-databases-"));
  server = createServer((_, response) => response.writeHead(200).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
  server.close();
  rmSync(place, { recursive: true });
});

const database = (country: string) =>
  gzipSync(
    writeMmdb({
      type: "Test-Country",
      buildEpochSeconds: Date.now() / 1000,
      networks: [
        ...["8.8.8.0/24", "1.1.1.0/24", "193.0.6.0/24", "199.212.0.0/24", "202.12.29.0/24"],
        "5.9.0.0/16",
      ].map((prefix) => ({ prefix, record: { country: { iso_code: country } } })),
    }),
  );

test("assay lists update fetches a database, and a running service takes it into use", async () => {
  const port = await freePort();
  const file = join(place, "assay.yaml");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/country.mmdb.gz`;
  writeFileSync(
    file,
    `data: { directory: ${join(place, "data")} }
http: { port: ${port} }
origin: { reloadSeconds: 1, databases: [{ role: country, url: "${url}", password: secret-key }] }
`,
  );
  body = database("SE");
  const update = await assay(["lists", "update", "--config", file]);
  expect(update).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^country: updated to \d{4}-\d\d-\d\d /),
  });
  const status = await assay(["lists", "status", "country", "--config", file]);
  expect(status.stdout).toMatch(/^country: \d{4}-\d\d-\d\d [0-9a-f]{12}, \d+ nodes, source reached /);
  const { stdout } = await assay(["screen", "5.9.1.1", "--config", file]);
  expect(JSON.parse(stdout).origin).toMatchObject({ country: "SE" });
  expect((await assay(["check", "--config", file, "--dump"])).stdout).not.toContain("secret-key");

  running = startAssay(["run", "--config", file]);
  await running.said("listening");
  const countryOf = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/screen?value=5.9.1.1`);
    return ((await answer.json()) as { origin: { country: string } }).origin.country;
  };
  expect(await countryOf()).toBe("SE");
  body = Buffer.from("<html>Too many requests</html>");
  const refused = await assay(["lists", "update", "country", "--config", file]);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain("country: refused; is text, not a database; still in use: ");
  expect(await countryOf()).toBe("SE");
  body = database("FI");
  expect((await assay(["lists", "update", "--config", file])).code).toBe(0);
  await until(async () => ((await countryOf()) === "FI" ? true : undefined));
  expect(await running.end()).toBe(0);
}, 60_000);

test("two databases of one role, and lists of one name, are mistakes with their places", async () => {
  const file = join(place, "twice.yaml");
  const one = '{ role: country, url: "https://example.org/a.mmdb" }';
  writeFileSync(
    file,
    `origin: { country: a.mmdb, databases: [${one}, ${one}] }
screening: { lists: [{ name: a, file: a.txt }, { name: a, file: b.txt }] }
`,
  );
  const { code, stderr } = await assay(["check", "--config", file]);
  expect(code).toBe(2);
  expect(stderr).toContain("origin.databases[1].role: country is fetched already");
  expect(stderr).toContain("origin.databases[0].role: origin.country names a file already");
  expect(stderr).toContain("screening.lists[1].name: a is the name of another list already");
});
