import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeProxyHeader } from "../../../collectors/stratum/proxy-protocol.ts";
import { installed } from "../../support/installed.ts";
import { silent, startServer, startTap, until } from "./harness.ts";

const LOGIN = '{"id":1,"method":"mining.authorize","params":["farm.rig1","x"]}\n';
const ACCEPTED = '{"id":1,"result":true,"error":null}\n';

describe.skipIf(!installed("openssl", "version"))(
  "TLS (skipped where openssl, which makes the certificate, is not installed)",
  () => {
    let directory = "";
    let tls = { certificate: "", key: "" };
    let cert = "";
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "assay-tls-"));
      tls = { certificate: join(directory, "cert.pem"), key: join(directory, "key.pem") };
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
      const files = ["-keyout", tls.key, "-out", tls.certificate];
      execFileSync("openssl", ["req", "-x509", ...curve, ...subject, ...files], { stdio: "ignore" });
      cert = await readFile(tls.certificate, "utf8");
    });
    afterAll(() => rm(directory, { recursive: true }));

    /** A pool that speaks TLS and accepts every login. */
    async function startTlsPool() {
      const key = await readFile(tls.key, "utf8");
      const sockets: TLSSocket[] = [];
      const server = createTlsServer({ cert, key }, (socket) => {
        sockets.push(socket);
        socket.on("error", silent);
        socket.on("data", () => socket.write(ACCEPTED));
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return {
        port: (server.address() as AddressInfo).port,
        async [Symbol.asyncDispose]() {
          for (const socket of sockets) socket.destroy();
          server.close();
          await once(server, "close");
        },
      };
    }

    test("a miner speaks TLS to the tap, behind a PROXY header, and the tap speaks TLS to the pool", async () => {
      await using pool = await startTlsPool();
      await using tap = await startTap(pool.port, {
        tls,
        upstream: { host: "localhost", port: pool.port, tls: true, ca: tls.certificate },
        proxyProtocol: { accept: true, from: ["127.0.0.1"], emit: "off" },
      });
      const plain = connect(tap.port, "127.0.0.1");
      plain.write(
        writeProxyHeader("v2", {
          source: { address: "198.51.100.9", port: 5555 },
          destination: { address: "127.0.0.1", port: 3333 },
        }),
      );
      const miner = connectTls({ socket: plain, ca: cert, servername: "localhost" });
      miner.write(LOGIN);
      const [answer] = await once(miner, "data");
      expect(String(answer)).toBe(ACCEPTED);
      await until(() => tap.sessions("authorize").length > 0, "the login");
      expect(tap.sessions("authorize")[0]).toMatchObject({ ip: "198.51.100.9", account: "farm", tls: true });
      miner.end();
      await once(miner, "close");
    });

    test.each([
      ["ended at the tap", true],
      ["passed through", false],
    ])(
      "the client's fingerprint is told where TLS is %s, and differs with the client's settings",
      async (_, ended) => {
        await using secure = await startTlsPool();
        await using plain = await startServer((socket) => {
          socket.on("data", () => socket.write(ACCEPTED)).on("end", () => socket.end());
        });
        await using tap = await startTap(ended ? plain.port : secure.port, ended ? { tls } : {});
        const settings = [
          { ALPNProtocols: ["stratum"] },
          { ALPNProtocols: ["stratum"] },
          { servername: "", ciphers: "TLS_AES_128_GCM_SHA256", minVersion: "TLSv1.3" as const },
        ];
        for (const [index, more] of settings.entries()) {
          const miner = connectTls({
            port: tap.port,
            host: "127.0.0.1",
            ca: cert,
            servername: "localhost",
            rejectUnauthorized: false,
            ...more,
          });
          miner.on("error", silent);
          miner.write(LOGIN);
          await once(miner, "data");
          const told = () =>
            new Set(tap.sessions().flatMap(({ session, tlsFingerprint }) => (tlsFingerprint ? session : [])));
          await until(() => told().size === index + 1, "the fingerprint");
          miner.destroy();
        }
        await until(() => tap.sessions("close").length === 3, "the closes");
        const [first, second, other] = tap.sessions("close").map(({ tlsFingerprint }) => tlsFingerprint);
        expect(first).toMatch(/^t13d\d{4}sm_[0-9a-f]{12}_[0-9a-f]{12}$/);
        expect(second).toBe(first);
        // One cipher suite (RFC 8446), and the marker that forbids renegotiation beside it or not: OpenSSL's own.
        expect(other).toMatch(/^t13i0[12]\d{2}00_/);
        const logins = tap
          .sessions("authorize")
          .map(({ account, tlsFingerprint }) => [account, tlsFingerprint]);
        expect(logins).toEqual(ended ? [first, second, other].map((told) => ["farm", told]) : []);
      },
    );

    test("what is no TLS, or ends before its hello, is closed and told where TLS is ended", async () => {
      await using pool = await startServer(silent);
      await using tap = await startTap(pool.port, { tls });
      const stranger = connect(tap.port, "127.0.0.1").on("error", silent);
      stranger.write(LOGIN);
      await once(stranger, "close");
      const silentOne = connect(tap.port, "127.0.0.1");
      silentOne.end(Buffer.from("1603", "hex"));
      await once(silentOne, "close");
      await until(() => tap.sessions("close").length === 2, "the closes");
      expect(tap.tap.counters().connections).toBe(0);
      expect(tap.sessions().every(({ tlsFingerprint }) => tlsFingerprint === undefined)).toBe(true);
    });

    test("a pool whose certificate nobody vouches for is not spoken to", async () => {
      await using pool = await startTlsPool();
      await using tap = await startTap(pool.port, {
        upstream: { host: "localhost", port: pool.port, tls: true },
      });
      const miner = connect(tap.port, "127.0.0.1");
      miner.write(LOGIN);
      await once(miner, "close");
      await until(() => tap.sessions("close").length > 0, "the close");
      expect(tap.sessions("close")[0]!.reason).toBe("pool: DEPTH_ZERO_SELF_SIGNED_CERT");
    });

    test("without a certificate TLS passes through, and its session is opaque", async () => {
      await using pool = await startTlsPool();
      await using tap = await startTap(pool.port);
      const miner = connectTls({ port: tap.port, host: "127.0.0.1", ca: cert, servername: "localhost" });
      miner.write(LOGIN);
      const [answer] = await once(miner, "data");
      expect(String(answer)).toBe(ACCEPTED);
      miner.destroy();
      await until(() => tap.sessions("close").length > 0, "the close");
      expect(tap.sessions("close")[0]).toMatchObject({
        tls: true,
        reason: expect.stringMatching(/^tls, not decoded; /),
      });
      expect(tap.sessions("authorize")).toEqual([]);
    });

    test("a certificate that cannot be read is said with the tap's name", async () => {
      const wrong = { certificate: join(directory, "none.pem"), key: tls.key };
      await expect(startTap(1, { tls: wrong })).rejects.toThrow("tap: cannot read its certificates");
    });
  },
);

test("when the pool cannot be reached the next address is tried, and a miner that leaves meanwhile is let go", async () => {
  await using pool = await startServer((socket) => {
    socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end());
  });
  await using tap = await startTap(1, {
    upstream: { host: "127.0.0.1", port: 1, fallback: [{ host: "127.0.0.1", port: pool.port }] },
  });
  const miner = connect(tap.port, "127.0.0.1");
  miner.write("hello");
  const [echo] = await once(miner, "data");
  expect(String(echo)).toBe("hello");
  miner.destroy();
  await until(() => tap.tap.counters().connections === 0, "the end");
});
