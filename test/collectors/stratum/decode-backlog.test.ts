import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { DecodeBacklog } from "../../../collectors/stratum/decode-backlog.ts";

test("sockets are served between slices of decoding, however much waits", async () => {
  let nowMs = 0;
  let decoded = 0;
  const backlog = new DecodeBacklog({
    limitBytes: 1e6,
    sliceMs: 0.1,
    tick: () => nowMs,
    onFailure: (error) => expect.unreachable(String(error)),
  });
  const decoder = {
    push() {
      decoded += 1;
      nowMs += 0.02;
    },
    gap() {},
    kernelRoundTrip() {},
    close() {},
  };
  const decoding = { decoder, lost: null };
  const moment = { atMs: 0, tickMs: 0 };
  for (let count = 0; count < 100; count += 1) backlog.push(decoding, "up", Buffer.from("x"), moment);
  expect(decoded).toBe(0);
  let turns = 0;
  for (let before = 0; decoded < 100; before = decoded, turns += 1) {
    await turn();
    // Five fill a slice; the clock is looked at after every fourth.
    expect(decoded - before).toBeLessThanOrEqual(8);
  }
  expect(turns).toBeGreaterThanOrEqual(13);
  expect(backlog.bytes).toBe(0);
});
