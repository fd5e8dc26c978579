import type { ComponentChildren } from "preact";
import { client, type Network } from "./client.ts";
import { age, count, figure, percent } from "./format.ts";
import { useLoad } from "./load.ts";
import { Account, Age, At, accountPath, Card, Empty, Show } from "./parts.tsx";
import { Text } from "./text.tsx";

type Entries<Kind extends "joined" | "unseen" | "elsewhere" | "routes"> = Network[Kind]["entries"];
/** A column's heading; one of numbers is set to the right. */
type Column = string | { number: string };

/** What flows and routes tell beside the flags: observations, none of which raises a flag by itself. */
export function NetworkPage() {
  const network = useLoad("network", client.network);
  return (
    <>
      <div class="page-head">
        <h1>Network</h1>
        <span class="muted">observed since the service started; none of it raises a flag by itself</span>
        <button type="button" class="quiet" onClick={network.reload}>
          Refresh
        </button>
      </div>
      <Show of={network} rows={6}>
        {({ unseen, elsewhere, prefixes, routes, joined, exporters }) => (
          <>
            <Card title="Connections without a session" note={kept(unseen)}>
              <Unseen entries={unseen.entries} />
            </Card>
            <Card title="Mining to other pools" note={kept(elsewhere)}>
              <Elsewhere entries={elsewhere.entries} />
            </Card>
            <Card title="Watched prefixes" note="as RIS Live's peers see them">
              <Prefixes entries={prefixes} />
            </Card>
            <Card title="Route news" note={kept(routes)}>
              <RouteNews entries={routes.entries} />
            </Card>
            <Card title="Sessions on the network" note={kept(joined)}>
              <Joined entries={joined.entries} />
            </Card>
            <Card
              title="Exporters"
              note="what was lost on the way is counted, or estimated where only datagrams are numbered"
            >
              <Exporters entries={exporters} />
            </Card>
          </>
        )}
      </Show>
    </>
  );
}

function kept({ total, entries }: { total: number; entries: readonly unknown[] }): string {
  return total > entries.length ? `the latest ${count(entries.length)} of ${count(total)}` : count(total);
}

/** A table, or why there is none. */
function Table(props: {
  empty: [title: string, why: string];
  columns: readonly Column[];
  rows: readonly (readonly ComponentChildren[])[];
}) {
  const { empty, columns, rows } = props;
  if (rows.length === 0) return <Empty title={empty[0]}>{empty[1]}</Empty>;
  const numeric = (index: number) => (typeof columns[index] === "object" ? "number" : undefined);
  return (
    <div class="table-wrap">
      <table>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={index} class={numeric(index)}>
                {typeof column === "string" ? column : column.number}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) => (
                <td key={index} class={numeric(index)}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** An end of a connection; IPv6 in brackets, so that the port can be told from the address. */
const end = (ip: string, port: number) => (
  <Text of={ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`} />
);
const milliseconds = (value: number | null) => (value === null ? "–" : `${figure(value)} ms`);

const Unseen = ({ entries }: { entries: Entries<"unseen"> }) => (
  <Table
    empty={["None was seen", "Every connection that flows told of had a stratum session, or no flows come."]}
    columns={["Client", "Pool", "From", "To", { number: "Bytes" }, { number: "Packets" }]}
    rows={entries.map(({ ip, port, pool, startMs, endMs, bytes, packets }) => [
      end(ip, port),
      <Text of={pool} />,
      <At ms={startMs} />,
      <At ms={endMs} />,
      count(bytes),
      count(packets),
    ])}
  />
);

const Elsewhere = ({ entries }: { entries: Entries<"elsewhere"> }) => (
  <Table
    empty={["None was seen", "No pair of hosts talks as a miner and a pool do, except to your servers."]}
    columns={[
      "Client",
      "Server",
      "Since",
      "Last seen",
      { number: "Bytes a packet" },
      { number: "Packets a minute" },
      { number: "Time active" },
    ]}
    rows={entries.map((pair) => [
      <Text of={pair.client} />,
      end(pair.server, pair.serverPort),
      <At ms={pair.startMs} />,
      <Age at={pair.endMs} ago />,
      figure(pair.packetBytes),
      figure(pair.packetsPerMinute),
      percent(Math.min(1, pair.activity)),
    ])}
  />
);

const HEALTH = { visible: "running", partly: "waiting", gone: "failed", unknown: "waiting" } as const;

const Prefixes = ({ entries }: { entries: Network["prefixes"] }) => (
  <Table
    empty={["Nothing is known yet", "RIS Live tells changes only; collectors.risLive switches it on."]}
    columns={["Prefix", "Network", "State", { number: "Peers with a route" }, "Upstreams", "Unexpected"]}
    rows={entries.map(({ prefix, network, visibility, peers, visiblePeers, upstreams, unexpected }) => [
      prefix,
      <Text of={network} />,
      <span class={`badge health-${HEALTH[visibility]}`}>{visibility}</span>,
      `${count(visiblePeers)} of ${count(peers)}`,
      upstreams.map((asn) => `AS${asn}`).join(", ") || "–",
      unexpected.length > 0 ? <span class="warning">{unexpected.join(", ")}</span> : "–",
    ])}
  />
);

const RouteNews = ({ entries }: { entries: Entries<"routes"> }) => (
  <Table
    empty={["No news", "Told once enough peers agree: a prefix that came or went, or a way nobody expects."]}
    columns={["At", "Prefix", "What", "Path"]}
    rows={entries.map(({ atMs, prefix, event, path }) => [
      <At ms={atMs} />,
      <Text of={prefix} />,
      event === "announce" ? "announced" : "withdrawn",
      path.length > 0 ? path.join(" ") : "–",
    ])}
  />
);

const Joined = ({ entries }: { entries: Entries<"joined"> }) => (
  <Table
    empty={["None was joined", "Told half an hour after a session ended whose flows were found."]}
    columns={[
      "Account",
      "Client",
      { number: "Lasted" },
      { number: "Bytes a share" },
      { number: "Round trip" },
      { number: "Of the program" },
      { number: "Hidden leg" },
    ]}
    rows={entries.map(({ account, pool, ip, port, durationMs, bytesPerShare, rttMs, appRttMs }) => [
      account === null ? (
        "–"
      ) : (
        <a href={accountPath(pool, account)}>
          <Account name={account} />
        </a>
      ),
      end(ip, port),
      age(durationMs),
      bytesPerShare === null ? "no share" : count(Math.round(bytesPerShare)),
      milliseconds(rttMs),
      milliseconds(appRttMs),
      milliseconds(rttMs === null || appRttMs === null ? null : Math.max(0, appRttMs - rttMs)),
    ])}
  />
);

const Exporters = ({ entries }: { entries: Network["exporters"] }) => (
  <Table
    empty={["No flows by UDP", "Name a port under collectors.flows, and who may send to it."]}
    columns={[
      "Exporter",
      "Collector",
      { number: "Datagrams" },
      { number: "Flows" },
      { number: "Lost" },
      { number: "Malformed" },
      { number: "Sets without template" },
      { number: "Clock moved" },
    ]}
    rows={entries.map((exporter) => [
      <Text of={exporter.exporter} />,
      exporter.collector,
      count(exporter.datagrams),
      count(exporter.flows),
      count(exporter.lost),
      count(exporter.malformed),
      count(exporter.droppedSets),
      count(exporter.clockCorrected),
    ])}
  />
);
