import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { client, type WatchLists } from "./client.ts";
import { count } from "./format.ts";
import { useLoad } from "./load.ts";
import { Age, At, Card, Empty, Show } from "./parts.tsx";
import { Text } from "./text.tsx";

type WatchList = WatchLists["lists"][number];

/** The lists that values are held against: which version, from where, how old, and the versions before. */
export function WatchListsCard() {
  const answer = useLoad("lists", client.lists);
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Card title="Lists in use" note="a list's name opens its versions">
      <Show of={answer}>
        {({ lists }) =>
          lists.length === 0 ? (
            <Empty title="No list is in use">Name the official ones in screening.lists.</Empty>
          ) : (
            <div class="table-wrap">
              <table>
                <thead>
                  <tr>
                    <th>List</th>
                    <th>Version</th>
                    <th class="number">Entries</th>
                    <th>State</th>
                    <th>Source reached</th>
                    <th>Source</th>
                  </tr>
                </thead>
                <tbody>
                  {lists.map((list) => (
                    <Fragment key={list.name}>
                      <tr>
                        <td>
                          <button
                            type="button"
                            class="fold"
                            aria-expanded={open === list.name}
                            onClick={() => setOpen(open === list.name ? null : list.name)}
                          >
                            {list.name}
                          </button>
                        </td>
                        <td>{list.version || "none yet"}</td>
                        <td class="number">{count(list.entries)}</td>
                        <td>
                          <State of={list} />
                        </td>
                        <td>{list.checkedAt ? <Age at={Date.parse(list.checkedAt)} ago /> : "–"}</td>
                        <td>
                          <Text of={list.source || "–"} />
                        </td>
                      </tr>
                      {open === list.name && (
                        <tr>
                          <td colSpan={6}>
                            <History of={list} />
                          </td>
                        </tr>
                      )}
                    </Fragment>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Show>
    </Card>
  );
}

/** Stale or not, and why the last attempt came to nothing. What comes with Assay is never called current. */
function State({ of }: { of: WatchList }) {
  const bundled = of.checkedAt === null && !of.stale;
  const word = bundled ? "bundled" : of.stale ? "stale" : "current";
  const colour = bundled ? "health-waiting" : of.stale ? "health-failed" : "health-running";
  return (
    <>
      <span class={`badge ${colour}`}>{word}</span>
      {of.lastError && (
        <div class="warning">
          <Text of={of.lastError} />
        </div>
      )}
    </>
  );
}

function History({ of }: { of: WatchList }) {
  if (of.history.length === 0)
    return <p class="muted">No versions are kept: it comes with Assay, or was never fetched.</p>;
  return (
    <table aria-label={`Versions of ${of.name}`}>
      <thead>
        <tr>
          <th>In use from</th>
          <th>Version</th>
          <th class="number">Entries</th>
          <th class="number">Added</th>
          <th class="number">Removed</th>
        </tr>
      </thead>
      <tbody>
        {of.history.map(({ version, takenAt, entries, added, removed }) => (
          <tr key={takenAt}>
            <td>
              <At ms={Date.parse(takenAt)} />
            </td>
            <td>{version}</td>
            <td class="number">{count(entries)}</td>
            <td class="number">{count(added)}</td>
            <td class="number">{count(removed)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
