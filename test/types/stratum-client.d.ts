/** The part of the package's own README that the test uses; it ships no types. */
declare module "stratum-client" {
  interface Options {
    server: string;
    port: number;
    worker: string;
    password?: string;
    autoReconnectOnError?: boolean;
    onNewMiningWork?: (work: { jobId: string }) => void;
    onSubmitWorkSuccess?: () => void;
    onSubmitWorkFail?: () => void;
    onClose?: () => void;
  }
  type Share = Record<"worker_name" | "job_id" | "extranonce2" | "ntime" | "nonce", string>;
  function start(options: Options): { submit(share: Share): void; shutdown(): void };
  export = start;
}
