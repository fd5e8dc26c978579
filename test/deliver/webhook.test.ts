import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { isBlocked } from "../../src/deliver/address.ts";
import { type WebhookOptions, webhook } from "../../src/deliver/webhook.ts";
import { ok, receiver } from "./receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const MESSAGE = { id: "msg_1", event: "flag.opened", body: '{"type":"flag.opened","data":"⛏"}' };

const send = (options: Partial<WebhookOptions> & { url: string }, message = MESSAGE) =>
  webhook({ name: "x", secrets: [SECRET], allowPrivate: true, ...options }).send(
    message,
    new AbortController().signal,
  );

test("the published vector of Standard Webhooks is met, header for header", async () => {
  const server = await receiver(ok);
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", event: "test", body: '{"test": 2432232314}' };
  const outcome = await send({ url: server.url, now: () => 1_614_265_330_000 }, message);
  expect(outcome).toEqual({ outcome: "delivered" });
  expect(server.received[0]).toMatchObject({
    body: message.body,
    headers: {
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      "content-type": "application/json",
    },
  });
});

test("while a secret is rotated each one verifies, and a changed body by neither", async () => {
  const server = await receiver(ok);
  await send({ url: server.url, secrets: [OTHER, SECRET] });
  const { body, headers } = server.received[0]!;
  const given = headers as Record<string, string>;
  for (const secret of [SECRET, OTHER]) {
    expect(new Webhook(secret).verify(body, given)).toEqual(JSON.parse(MESSAGE.body));
    expect(() => new Webhook(secret).verify(`${body} `, given)).toThrow();
  }
});

test.each([
  [200, { outcome: "delivered" }],
  [404, { outcome: "retry", reason: "HTTP 404: what it said" }],
  [500, { outcome: "retry", reason: "HTTP 500: what it said" }],
  [410, { outcome: "refused", reason: "HTTP 410: what it said", gone: true }],
])("an answer of %i is judged", async (status, expected) => {
  const server = await receiver((response) => response.writeHead(status).end("what\r\n\u001b it  said\n"));
  expect(await send({ url: server.url })).toEqual(expected);
});

test("a redirect is not followed", async () => {
  const inner = await receiver(ok);
  const server = await receiver((response) => response.writeHead(307, { location: inner.url }).end());
  expect(await send({ url: server.url })).toEqual({ outcome: "retry", reason: "HTTP 307" });
  expect(inner.received).toEqual([]);
});

test("Retry-After is heard, in both its forms, and a day at most is believed", async () => {
  const date = new Date(1_614_265_390_000).toUTCString();
  const answers = ["7", date, "999999999", "soon"];
  const server = await receiver((response, count) =>
    response.writeHead(429, { "retry-after": answers[count - 1] }).end(),
  );
  const waits = [];
  for (const _ of answers) waits.push(await send({ url: server.url, now: () => 1_614_265_330_000 }));
  expect(waits.map((wait) => "afterMs" in wait && wait.afterMs)).toEqual([7_000, 60_000, 86_400_000, false]);
});

test("a receiver that never answers is given up in time, one that never stops answering is cut off", async () => {
  const silent = await receiver(() => {});
  expect(await send({ url: silent.url, timeoutMs: 100 })).toEqual({
    outcome: "retry",
    reason: "no answer within 100 ms",
  });
  const endless = await receiver((response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
      response.once("drain", more);
    };
    more();
  });
  expect(await send({ url: endless.url })).toEqual({ outcome: "delivered" });
  const refusing = await receiver((response) => response.socket?.destroy());
  expect(await send({ url: refusing.url })).toEqual({ outcome: "retry", reason: "ECONNRESET" });
});

test("an abort ends an attempt at once", async () => {
  const server = await receiver(() => {});
  const ending = new AbortController();
  const hook = webhook({ name: "x", url: server.url, secrets: [SECRET], allowPrivate: true });
  const sending = hook.send(MESSAGE, ending.signal);
  await server.until(1);
  ending.abort();
  expect(await sending).toMatchObject({ outcome: "retry" });
});

test.each([
  "localhost:PORT",
  "127.0.0.1:PORT",
  "[::1]:PORT",
  "[::ffff:127.0.0.1]:PORT",
  "2130706433:PORT",
  "0x7f000001:PORT",
  "0177.0.0.1:PORT",
  "127.1:PORT",
  "0:PORT",
  "[::]:PORT",
])("a way around the guard leads nowhere: %s", async (host) => {
  const server = await receiver(ok);
  const url = `http://${host.replace("PORT", String(server.port))}/`;
  expect(await send({ url, allowPrivate: false })).toMatchObject({ outcome: "refused" });
  expect(server.received).toEqual([]);
});

test("what an operator permits is reached by name too", async () => {
  const server = await receiver(ok);
  expect(await send({ url: `http://localhost:${server.port}/` })).toEqual({ outcome: "delivered" });
});

test.each([
  ["8.8.8.8", false, false],
  ["2606:4700::1111", false, false],
  ["10.1.2.3", true, false],
  ["172.31.0.1", true, false],
  ["192.168.1.1", true, false],
  ["100.64.0.1", true, false],
  ["fd00::1", true, false],
  ["::ffff:10.0.0.1", true, false],
  ["::ffff:a00:1", true, false],
  ["169.254.169.254", true, true],
  ["::ffff:169.254.169.254", true, true],
  ["64:ff9b::7f00:1", true, true],
  ["2002:7f00:1::", true, true],
  ["fe80::1", true, true],
  ["224.0.0.1", true, true],
  ["255.255.255.255", true, true],
  ["example.com", true, true],
])("%s: blocked %j, with allowPrivate %j", (address, blocked, blockedThough) => {
  expect([isBlocked(address, false), isBlocked(address, true)]).toEqual([blocked, blockedThough]);
});

test("what cannot work is said when it is set up", () => {
  const options = { name: "x", url: "ftp://h/", secrets: [SECRET], allowPrivate: false };
  expect(() => webhook(options)).toThrow("webhook x: neither http nor https");
  expect(() => webhook({ ...options, url: "http://h/", secrets: [] })).toThrow("webhook x: no secret");
});
