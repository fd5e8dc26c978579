import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { promisify } from "node:util";
import { until } from "./assay.ts";

const run = promisify(execFile);

/** Why softflowd cannot run here; it must be installed and may capture only where this process may. */
export function softflowdUnavailable(): string | undefined {
  let reason: string | undefined;
  try {
    execFileSync("softflowd", ["-h"], { stdio: "ignore" });
    if (process.getuid?.() !== 0) reason = "capturing on loopback needs root";
  } catch (error) {
    reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "it is not installed" : undefined;
  }
  if (reason && process.env.ASSAY_REQUIRE_SERVICES) throw new Error(`softflowd is required: ${reason}`);
  return reason;
}

/** Captured whole, a few of them fill a block of 128 KiB, the unit in which the kernel hands packets over. */
const LINE_BYTES = 16_384;

/** One connection that carries traffic of no interest whenever it is asked to. */
export interface Pusher {
  port: number;
  push(): Promise<void>;
  close(): void;
}

/** Connects to an echo of its own. */
export async function startPusher(): Promise<Pusher> {
  const server = createServer((socket) => socket.on("data", (line) => socket.write(line)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return {
    port,
    async push() {
      for (let line = 0; line < 8; line += 1) {
        socket.write(Buffer.alloc(LINE_BYTES));
        for (let back = 0; back < LINE_BYTES; ) {
          const [data] = (await once(socket, "data")) as [Buffer];
          back += data.length;
        }
      }
    },
    close() {
      socket.destroy();
      server.close();
    },
  };
}

/** What an exporter says it has told since it was started. */
export interface Told {
  flows: number;
  packets: number;
}

/** A running softflowd. */
export interface Softflowd {
  /** Makes it tell of everything it has seen, until it holds nothing back. */
  tellAll(): Promise<Told>;
  /** SIGKILL: it tells nothing more. */
  kill(): Promise<void>;
}

/** Debian's softflowd in the foreground on loopback, exporting to `port`; ready when its control socket answers. */
export async function startSoftflowd(options: {
  /** 5, 9, or 10 for IPFIX. */
  version: string;
  port: number;
  filter: string;
  /** Path its control socket and process file begin with. */
  control: string;
  /** Its traffic must pass `filter`. */
  pusher: Pusher;
}): Promise<Softflowd> {
  const { version, port, filter, control, pusher } = options;
  const files = ["-p", `${control}.pid`, "-c", `${control}.ctl`];
  const where = ["-d", "-i", "lo", "-v", version, "-n", `127.0.0.1:${port}`];
  const whole = ["-C", "65535", "-B", "33554432"];
  const child = spawn("softflowd", [...where, ...whole, ...files, filter], { stdio: "ignore" });
  const exited = once(child, "exit");
  await once(child, "spawn");
  const ask = (what: string) => run("softflowctl", ["-c", `${control}.ctl`, what]);
  await until(() =>
    ask("statistics").then(
      () => true,
      () => undefined,
    ),
  );

  async function statistics() {
    const { stdout } = await ask("statistics");
    const number = (pattern: RegExp) => Number(pattern.exec(stdout)![1]);
    return {
      active: number(/^Number of active flows: (\d+)$/m),
      received: number(/^Packets received by libpcap: (\d+)$/m),
      packets: number(/^Packets processed: (\d+)$/m),
      flows: number(/^Flows exported: \d+ \((\d+) records\)/m),
    };
  }

  return {
    // It takes packets from the kernel a block at a time however long that takes to fill: traffic pushes them through.
    tellAll() {
      return until(async () => {
        const { received } = await statistics();
        do await pusher.push();
        while ((await statistics()).packets < received);
        await ask("expire-all");
        const { active, flows, packets } = await statistics();
        return active === 0 ? { flows, packets } : undefined;
      });
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
