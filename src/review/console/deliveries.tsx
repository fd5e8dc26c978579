import { useState } from "preact/hooks";
import { client } from "./client.ts";
import { useLoad } from "./load.ts";
import { Age, At, Empty, flagPath, Show, Tabs } from "./parts.tsx";
import { attempt, mayReview, say } from "./session.ts";
import { Text } from "./text.tsx";

const STATES: [value: string, words: string][] = [
  ["", "All"],
  ["dead", "Dead letters"],
  ["waiting", "Waiting"],
  ["delivered", "Delivered"],
];

/** What was sent, waits or could not be delivered; dead letters can be sent again. */
export function Deliveries() {
  const [state, setState] = useState("");
  const deliveries = useLoad(`deliveries ${state}`, () => client.deliveries(state));
  const resend = (id: string) =>
    attempt(async () => {
      await client.resend(id);
      say("It will be sent again.");
      deliveries.reload();
    });
  const enable = (destination: string) =>
    attempt(async () => {
      await client.enable(destination);
      say("New flags are told to it again; dead letters can be sent again one by one.");
      deliveries.reload();
    });
  return (
    <>
      <div class="page-head">
        <h1>Deliveries</h1>
        <Tabs label="State" options={STATES} value={state} set={setState} />
        <button type="button" class="quiet" onClick={deliveries.reload}>
          Refresh
        </button>
      </div>
      <Show of={deliveries} rows={6}>
        {({ deliveries: rows, disabled }) => (
          <>
            {disabled.map(({ destination, reason, sinceMs }) => (
              <div class="problem" key={destination}>
                <span>
                  <strong>{destination}</strong> takes no deliveries since <At ms={sinceMs} />:{" "}
                  <Text of={reason} />
                </span>
                {mayReview() && (
                  <button type="button" onClick={() => enable(destination)}>
                    Take it up again
                  </button>
                )}
              </div>
            ))}
            {rows.length === 0 ? (
              <Empty title="There are none">
                {state === "dead"
                  ? "Everything could be delivered."
                  : "Flags are told to the destinations of the configuration."}
              </Empty>
            ) : (
              <div class="table-wrap">
                <table>
                  <thead>
                    <tr>
                      <th>Destination</th>
                      <th>Event</th>
                      <th>Flag</th>
                      <th>State</th>
                      <th class="number">Attempts</th>
                      <th>Created</th>
                      <th>Next try</th>
                      <th>Last error</th>
                      <th />
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <tr key={row.id}>
                        <td>{row.destination}</td>
                        <td>{row.event}</td>
                        <td>
                          {row.flagId ? (
                            <a href={flagPath(row.flagId)}>{row.flagId}</a>
                          ) : (
                            <span class="muted">test</span>
                          )}
                        </td>
                        <td>
                          <span class={`badge delivery-${row.state}`}>
                            {row.state === "dead" ? "dead letter" : row.state}
                          </span>
                        </td>
                        <td class="number">{row.attempts}</td>
                        <td>
                          <Age at={row.createdMs} />
                        </td>
                        <td>{row.state === "waiting" ? <At ms={row.nextMs} /> : ""}</td>
                        <td class="error">
                          <Text of={row.lastError ?? ""} />
                        </td>
                        <td class="number">
                          {row.state === "dead" && mayReview() && (
                            <button type="button" onClick={() => resend(row.id)}>
                              Send again
                            </button>
                          )}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </>
        )}
      </Show>
    </>
  );
}
