import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCapture } from "../../collectors/stratum/capture.ts";
import { hashesPerDifficulty } from "../../src/core/hashrate.ts";
import type { Observation, Refusal } from "../../src/core/observation.ts";

const data = process.env.ASSAY_EXTERNAL_DATA;
const folder = join(data ?? "", "stratum");
const missing = data === undefined || !existsSync(folder);

async function read(file: string) {
  const observations: Observation[] = [];
  const refusals: Refusal[] = [];
  for await (const batch of readCapture(join(folder, file), { pool: "capture", algorithm: "sha256d" })) {
    observations.push(...batch.observations);
    refusals.push(...(batch.refusals ?? []));
  }
  const of = <T extends Observation["type"]>(type: T) =>
    observations.filter(
      (observation): observation is Extract<Observation, { type: T }> => observation.type === type,
    );
  return { observations, refusals, shares: of("share"), sessions: of("session"), jobs: of("job") };
}

// Set ASSAY_EXTERNAL_DATA to the folder of outside data to run these.
describe.skipIf(missing)("captures of real miners", () => {
  test("nDPI's mining.pcapng: logins, agents, accounts, jobs and submits of its four sessions", async () => {
    const { shares, sessions, refusals } = await read("ndpi/mining.pcapng");
    expect(refusals).toEqual([]);
    const logins = new Map(
      sessions.filter(({ event }) => event === "authorize").map((login) => [login.session, login]),
    );
    const summary = [...logins.values()].map(({ session, ip, account, worker, agent }) => {
      const own = shares.filter((share) => share.session === session);
      return { ip, account, worker, agent, algorithm: own[0]?.algorithm, submits: own.length };
    });
    // Counted with `strings` and a script of forty lines that reads the file without putting streams together.
    expect(summary).toEqual([
      {
        ip: "147.229.13.222",
        account: "0x9c99d212f7e5daa18ab50810e0fd255d1f04303b",
        worker: "tester.worker1",
        agent: undefined,
        algorithm: "ethash",
        submits: 1,
      },
      {
        ip: "192.168.2.92",
        account:
          "4BCeEPhodgPMbPWFN1dPwhWXdRX8q4mhhdZdA1dtSMLTLCEYvAj9QXjXAfF7CugEbmfBhgkqHbdgK9b2wKA6nqRZQCgvCDm",
        worker: "cb2b73415c4faf214035a73b9d947c202342f3bf3bdf632132bd6d7af98cb257.ryzen",
        agent: "xmr-stak-cpu/1.3.0-1.5.0",
        algorithm: "randomx",
        submits: 30,
      },
      {
        ip: "192.168.2.148",
        account: "t1fAhZF5aUJdY7CikGULHmeYk7id8qmvbAd",
        worker: "rig4",
        agent: "EWBF 0.3.4b",
        algorithm: "equihash",
        submits: 46,
      },
      {
        ip: "192.168.2.148",
        account: "t1fJuHWrfcWnYMYyP9VAF96vRnvND2NziMG",
        worker: "c1",
        agent: "EWBF 0.3.4b",
        algorithm: "equihash",
        submits: 1,
      },
    ]);
  });

  test.each(["bitcoin", "ethereum", "jsonrpc", "monero"])("%s.pcap has no stratum inside", async (name) => {
    expect(await read(`ndpi/${name}.pcap`)).toMatchObject({ observations: [], refusals: [] });
  });

  test("cpuminer at ckpool: difficulty bound to the job gives 14.4 MH/s, the last announced one 27.9", async () => {
    const { shares, jobs } = await read("recorded/minerd_2.5.1_to_ckpool-lhr_regtest.pcapng");
    expect(shares).toHaveLength(110);
    const seconds = (shares.at(-1)!.atMs - shares[0]!.atMs) / 1000;
    const megahashes = (difficulties: number[]) =>
      (difficulties.reduce((sum, difficulty) => sum + difficulty, 0) * hashesPerDifficulty("sha256d")) /
      seconds /
      1e6;
    expect(megahashes(shares.map(({ difficulty }) => difficulty)) / 14.4).toBeCloseTo(1, 1.69897);
    expect(megahashes(shares.map(({ difficulty, credited }) => credited ?? difficulty)) / 27.9).toBeCloseTo(
      1,
      1.69897,
    );
    expect(jobs.map(({ height, coinbaseTag }) => [height, coinbaseTag])).toEqual(
      Array.from({ length: 4 }, () => [116, "ckpool-lhr /peer/"]),
    );
  });

  test("xmrig at xmrig-proxy: a session that began before the capture, and one within it", async () => {
    const { shares, sessions, refusals, jobs } = await read(
      "recorded/xmrig_6.26_to_xmrig-proxy_monerod-regtest.pcapng",
    );
    expect(sessions.filter(({ event }) => event === "open")).toHaveLength(2);
    expect(sessions.filter(({ event }) => event === "authorize")).toMatchObject([
      { worker: "rigA", agent: "XMRig/6.26.0 (Linux x86_64) libuv/1.44.2 gcc/12.2.0" },
    ]);
    expect(jobs[0]).toMatchObject({ height: 8 });
    // The login of the session that submits was not recorded: nobody is paid at a guess.
    expect(shares).toEqual([]);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(
      new Set(["share of a login that was not seen"]),
    );
  });
});
