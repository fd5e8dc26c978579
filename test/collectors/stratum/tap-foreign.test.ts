import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import startForeignClient from "stratum-client";
import { expect, test } from "vitest";
import { runPool } from "../../../models/simulate/live/pool.ts";
import { running, startTap, until } from "./harness.ts";

/** A wire that keeps all it carries, to stand on either side of the tap. */
async function startWire(target: number) {
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port: target, noDelay: true });
    sockets.push(near, far);
    near.on("data", (chunk: Buffer) => up.push(chunk) && far.write(chunk));
    far.on("data", (chunk: Buffer) => down.push(chunk) && near.write(chunk));
    near.on("error", () => far.destroy()).on("close", () => far.end());
    far.on("error", () => near.destroy()).on("close", () => near.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    up: () => Buffer.concat(up),
    down: () => Buffer.concat(down),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("a client nobody here wrote mines through the tap; what the tap saw is what both ends saw", async () => {
  const answers = { accepted: 0, refused: 0 };
  const jobs: string[] = [];
  let sent = 0;
  let handedOut = 0;
  const listening = Promise.withResolvers<AddressInfo>();
  await using _pool = running(
    runPool({
      onListening: listening.resolve,
      difficulty: 512,
      jobsPerBlock: 3,
      // The next job comes when the last one was seen and every share so far was answered, so that none is late.
      sleep: async (_, signal) => {
        handedOut += 1;
        const answered = () => answers.accepted + answers.refused === sent;
        await until(() => signal.aborted || (jobs.length >= handedOut && answered()), "the answers");
        if (handedOut === 20 && !signal.aborted) await once(signal, "abort");
      },
    }),
  );
  await using poolSide = await startWire((await listening.promise).port);
  const recorded: { up: Buffer[]; down: Buffer[] } = { up: [], down: [] };
  await using tap = await startTap(poolSide.port, {
    decoders: (standard) => (identity, moment) => {
      const decoder = standard(identity, moment);
      return {
        gap: (direction) => decoder.gap(direction),
        kernelRoundTrip: (at, milliseconds) => decoder.kernelRoundTrip(at, milliseconds),
        close: (at, reason) => decoder.close(at, reason),
        push(direction, chunk, at) {
          recorded[direction].push(chunk);
          decoder.push(direction, chunk, at);
        },
      };
    },
  });
  await using minerSide = await startWire(tap.port);

  const client = startForeignClient({
    server: "127.0.0.1",
    port: minerSide.port,
    worker: "bc1qforeign.rig7",
    password: "x",
    autoReconnectOnError: false,
    onNewMiningWork: ({ jobId }: { jobId: string }) => {
      if (jobs.length >= 20) return;
      jobs.push(jobId);
      const share = {
        worker_name: "bc1qforeign.rig7",
        job_id: jobId,
        extranonce2: "01",
        ntime: "65",
        nonce: "07",
      };
      // Every fifth is sent twice.
      for (let count = jobs.length % 5 === 0 ? 2 : 1; count > 0; count -= 1) {
        sent += 1;
        client.submit(share);
      }
    },
    onSubmitWorkSuccess: () => {
      answers.accepted += 1;
    },
    onSubmitWorkFail: () => {
      answers.refused += 1;
    },
  });
  await until(() => answers.accepted + answers.refused === 24, "24 answers");
  client.shutdown();
  await until(() => tap.sessions("close").length === 1, "the close");

  expect(answers).toEqual({ accepted: 20, refused: 4 });
  const outcomes = Object.groupBy(tap.shares(), ({ outcome }) => outcome);
  expect(outcomes.accepted).toHaveLength(20);
  expect(outcomes.duplicate).toHaveLength(4);
  expect(tap.shares()[0]).toMatchObject({
    account: "bc1qforeign",
    worker: "rig7",
    difficulty: 512,
    ip: "127.0.0.1",
  });
  expect(tap.sessions().map(({ event }) => event)).toEqual(
    expect.arrayContaining(["open", "subscribe", "authorize"]),
  );
  const told = tap.observations.filter((observation) => observation.type === "job");
  expect(told.map(({ jobId }) => jobId)).toEqual(expect.arrayContaining(jobs));
  expect(told[0]).toMatchObject({ height: 900_000, coinbaseTag: "/Assay demonstration/" });

  const up = Buffer.concat(recorded.up);
  const down = Buffer.concat(recorded.down);
  expect(up.equals(minerSide.up())).toBe(true);
  expect(up.equals(poolSide.up())).toBe(true);
  expect(down.equals(poolSide.down())).toBe(true);
  expect(down.subarray(0, minerSide.down().length).equals(minerSide.down())).toBe(true);
  expect(tap.refusals).toEqual([]);
});
