import { closeSync, read, write } from "node:fs";
import { promisify } from "node:util";

/**
 * A network that is as far away as it is told, of real packets between real kernel sockets, where the kernel has no
 * netem: a tun device whose packets are held for a while and come back with source and destination exchanged. Whoever
 * connects to `FAR` reaches a server on `NEAR`, and either side sees the other at `FAR`. Exchanging the addresses changes
 * no checksum, since these are sums.
 */
export const NEAR = "10.99.0.1";
export const FAR = "10.99.0.2";

/** Where `OPEN_TUN` leaves the device open. */
const TUN_DESCRIPTOR = 3;
/** Larger than the device's packets. */
const PACKET_BYTES = 2048;

/**
 * Makes the device in a network namespace of its own and runs the command that follows with it: TUNSETIFF (Linux,
 * if_tun.h) for a tun device without packet information, which Node cannot ask for. Perl is part of every Debian.
 */
export const OPEN_TUN = [
  "unshare",
  "-rn",
  "perl",
  "-e",
  [
    "$^F = 10;",
    'open(my $tun, "+<", "/dev/net/tun") or exit 71;',
    `fileno($tun) == ${TUN_DESCRIPTOR} or exit 72;`,
    'ioctl($tun, 0x400454ca, my $request = pack("Z16 s x22", "far0", 0x1001)) or exit 73;',
    `system("ip link set lo up && ip addr add ${NEAR}/24 dev far0 && ip link set far0 up") == 0 or exit 74;`,
    "exec @ARGV;",
  ].join(" "),
];

/** Holds each packet for `delayMs`, one way, and a jitter on top; packets keep their order. Ends when closed. */
export function holdPackets({ delayMs, jitterMs }: { delayMs: number; jitterMs: () => number }): () => void {
  const reading = promisify(read);
  const writing = promisify(write);
  let open = true;
  let lastMs = 0;
  void (async () => {
    while (open) {
      const { bytesRead, buffer } = await reading(
        TUN_DESCRIPTOR,
        Buffer.alloc(PACKET_BYTES),
        0,
        PACKET_BYTES,
        null,
      );
      const packet = buffer.subarray(0, bytesRead);
      // IPv4 alone: the device also sends router solicitations.
      if ((packet[0] ?? 0) >> 4 !== 4) continue;
      const source = Buffer.from(packet.subarray(12, 16));
      packet.copyWithin(12, 16, 20);
      source.copy(packet, 16);
      lastMs = Math.max(lastMs, performance.now() + delayMs + jitterMs());
      setTimeout(() => void writing(TUN_DESCRIPTOR, packet), lastMs - performance.now());
    }
  })();
  return () => {
    open = false;
    closeSync(TUN_DESCRIPTOR);
  };
}
