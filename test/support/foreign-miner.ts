import startForeignClient from "stratum-client";
import { until } from "./assay.ts";

/** A miner by the npm package `stratum-client`, a client nobody here wrote. One a process: it keeps one global socket. */
export interface Client {
  /** Hands in one share for the newest job and waits until the pool has accepted it. */
  submit(): Promise<void>;
  disconnects(): number;
  end(): void;
}

/** Connects through 127.0.0.1:`port` and waits for the first job. */
export async function foreignMiner(port: number): Promise<Client> {
  let job = "";
  let accepted = 0;
  let disconnects = 0;
  let nonce = 1;
  const client = startForeignClient({
    server: "127.0.0.1",
    port,
    worker: "foreign.rig1",
    password: "x",
    autoReconnectOnError: false,
    onNewMiningWork: ({ jobId }: { jobId: string }) => {
      job = jobId;
    },
    onSubmitWorkSuccess: () => {
      accepted += 1;
    },
    onSubmitWorkFail: () => undefined,
    onClose: () => {
      disconnects += 1;
    },
  });
  await until(() => (job === "" ? undefined : true));
  return {
    async submit() {
      const before = accepted;
      client.submit({
        worker_name: "foreign.rig1",
        job_id: job,
        extranonce2: "0000000000000001",
        ntime: "65000000",
        nonce: (nonce++).toString(16).padStart(8, "0"),
      });
      await until(() => (accepted > before ? true : undefined));
    },
    disconnects: () => disconnects,
    end: () => client.shutdown(),
  };
}
