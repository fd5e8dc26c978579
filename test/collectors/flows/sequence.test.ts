import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Convention, type Numbered, Sequence } from "../../../collectors/flows/sequence.ts";

/** A stream of datagrams as an exporter of this convention numbers them, from `start`. */
function stream(convention: Convention, sizes: readonly number[], start = 0): Numbered[] {
  let count = start;
  return sizes.map((records, index) => {
    // Every tenth datagram also brings an options record.
    const all = index % 10 === 0 ? records + 1 : records;
    const step = convention === "datagrams" ? 1 : convention.startsWith("flows") ? records : all;
    const before = count;
    count = (count + step) >>> 0;
    const sequence = convention.endsWith("with") ? count : before;
    return { sequence, flows: records, records: all, exportMs: index * 1000, uptimeMs: index * 1000 };
  });
}

const run = (datagrams: readonly Numbered[], hint: Convention = "records-before") => {
  const sequence = new Sequence(hint);
  const told = datagrams.reduce((sum, datagram) => sum + sequence.observe(datagram), 0);
  expect(told).toBe(sequence.lost);
  return sequence;
};

const conventions: Convention[] = [
  "records-before",
  "records-with",
  "flows-before",
  "flows-with",
  "datagrams",
];
const sizes = Array.from({ length: 200 }, (_, index) => 1 + ((index * 7919) % 30));
const exact = conventions.filter((convention) => convention !== "datagrams");

describe("a stream that lost nothing", () => {
  it.each(conventions)("is told as such by %s, whatever convention was expected", (convention) => {
    for (const hint of conventions) {
      const sequence = run(stream(convention, sizes), hint);
      expect(sequence.lost).toBe(0);
      expect(sequence.convention).toBe(convention);
    }
  });

  it("property: no convention, sizes, starting count or reordering of neighbours makes a false loss", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...conventions),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.constantFrom(...conventions),
        (convention, lengths, start, hint) => {
          expect(run(stream(convention, lengths, start), hint).lost).toBe(0);
        },
      ),
    );
  });

  it.each(conventions)("wraps at 32 bits by %s", (convention) => {
    const sequence = run(stream(convention, sizes, 2 ** 32 - 100), convention);
    expect(sequence).toMatchObject({ lost: 0, restarts: 0, late: 0 });
  });

  it("counts late datagrams as late and not as lost", () => {
    const datagrams = stream("records-before", sizes);
    const [one, other] = [datagrams[100]!, datagrams[101]!];
    datagrams[100] = other;
    datagrams[101] = one;
    const sequence = run(datagrams);
    expect(sequence.lost).toBe(0);
    expect(sequence.late).toBe(1);
  });
});

describe("a stream that lost some", () => {
  it.each(exact)("is told exactly by %s", (convention) => {
    const datagrams = stream(convention, sizes);
    const gone = datagrams.splice(50, 5);
    const expected = gone.reduce(
      (sum, { flows, records }) => sum + (convention.startsWith("flows") ? flows : records),
      0,
    );
    expect(run(datagrams).lost).toBe(expected);
  });

  it("is estimated by the mean datagram where datagrams are numbered", () => {
    const datagrams = stream("datagrams", sizes);
    const before = datagrams.slice(0, 55).reduce((sum, { flows }) => sum + flows, 0) / 55;
    datagrams.splice(50, 5);
    const { lost } = run(datagrams, "datagrams");
    expect(Math.abs(lost - 5 * before)).toBeLessThan(10);
  });
});

describe("an exporter that begins anew", () => {
  it("is known by its uptime", () => {
    const sequence = run([...stream("records-before", sizes), ...stream("records-before", sizes)]);
    expect(sequence.lost).toBe(0);
    expect(sequence.restarts).toBe(1);
  });

  it("is known by its count starting at nought where it has no uptime", () => {
    const second = stream("flows-with", sizes).map((datagram) => ({
      ...datagram,
      exportMs: datagram.exportMs + 1_000_000,
    }));
    const whole = [...stream("flows-with", sizes), ...second].map((datagram) => ({
      ...datagram,
      uptimeMs: Number.NaN,
    }));
    const sequence = run(whole);
    expect(sequence.lost).toBe(0);
    expect(sequence.restarts).toBe(1);
  });

  it("is not called a loss of two thousand million records when the count jumps", () => {
    const sequence = run([...stream("records-before", sizes), ...stream("records-before", sizes, 2 ** 30)]);
    expect(sequence.lost).toBe(0);
  });
});

describe("an exporter whose software changed its way of counting", () => {
  it("is believed anew, and its later losses are told exactly", () => {
    const after = stream("flows-with", [...sizes, ...sizes], 1_000_000);
    const sequence = run([...stream("records-before", sizes), ...after.slice(0, 200)]);
    expect(sequence.convention).toBe("flows-with");
    // The change itself looks like a jump of the count, and a record or two of what follows may be told with it.
    const before = sequence.lost;
    for (const datagram of after.slice(203)) sequence.observe(datagram);
    const gone = after.slice(200, 203).reduce((sum, { flows }) => sum + flows, 0);
    expect(Math.abs(sequence.lost - before - gone)).toBeLessThanOrEqual(2);
  });
});
