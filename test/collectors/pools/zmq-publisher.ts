import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Debian's interpreter, the one that has Debian's package python3-zmq. */
const PYTHON = "/usr/bin/python3";
export const hasZmq = spawnSync(PYTHON, ["-c", "import zmq"]).status === 0;

/** Publishes the messages it is told on standard input, and prints its port and then each subscription it gets. */
const PUBLISHER = `
import os, sys, zmq
socket = zmq.Context().socket(zmq.XPUB if sys.argv[1] == "XPUB" else zmq.PUB)
socket.linger = 0
if sys.argv[1] == "CURVE":
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_server = True
print(socket.bind_to_random_port("tcp://127.0.0.1"), flush=True)
poller = zmq.Poller()
poller.register(0, zmq.POLLIN)
if sys.argv[1] == "XPUB": poller.register(socket, zmq.POLLIN)
rest = b""
while True:
    ready = dict(poller.poll())
    if socket in ready: print(socket.recv().hex(), flush=True)
    if 0 in ready:
        read = os.read(0, 65536)
        if not read: break
        *lines, rest = (rest + read).split(b"\\n")
        for line in lines: socket.send_multipart([bytes.fromhex(part) for part in line.decode().split(" ")])
`;

/** A publisher of libzmq on a free loopback port. XPUB is PUB that tells its subscriptions, CURVE is PUB that asks for encryption. */
export async function startPublisher(socketType: "PUB" | "XPUB" | "CURVE") {
  const child = spawn(PYTHON, ["-u", "-c", PUBLISHER, socketType], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value: port } = await lines.next();
  return {
    url: `tcp://127.0.0.1:${port}`,
    /** The next subscription: 1 or 0 and the topic. */
    subscription: async () => Buffer.from((await lines.next()).value ?? "", "hex").toString("latin1"),
    publish(...parts: Uint8Array[]) {
      child.stdin.write(`${parts.map((part) => Buffer.from(part).toString("hex")).join(" ")}\n`);
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
