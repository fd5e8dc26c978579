import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Stands between exporters and a collector and loses what it is told to, as a network may. */
export interface UdpRelay {
  port: number;
  /** While it is true, whatever comes is lost. */
  losing: boolean;
  /** Datagrams passed on, and datagrams lost, so far. */
  forwarded(): number;
  lost(): number;
  close(): void;
}

/** Passes on to a port of loopback, each sender from a port of its own: as the collector would meet it without the relay. */
export async function startUdpRelay(to: number): Promise<UdpRelay> {
  const entrance = createSocket("udp4");
  const exits = new Map<number, Socket>();
  let forwarded = 0;
  let lost = 0;
  entrance.on("message", (datagram, from) => {
    if (relay.losing) {
      lost += 1;
      return;
    }
    let exit = exits.get(from.port);
    if (!exit) {
      exit = createSocket("udp4");
      exits.set(from.port, exit);
    }
    exit.send(datagram, to, "127.0.0.1");
    forwarded += 1;
  });
  entrance.bind(0, "127.0.0.1");
  await once(entrance, "listening");
  const relay: UdpRelay = {
    port: (entrance.address() as AddressInfo).port,
    losing: false,
    forwarded: () => forwarded,
    lost: () => lost,
    close() {
      entrance.close();
      for (const exit of exits.values()) exit.close();
    },
  };
  return relay;
}
