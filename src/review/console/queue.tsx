import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ActOnAll, BulkBar, moveFlags } from "./bulk.tsx";
import { client, type FlagSummary } from "./client.ts";
import { Filters } from "./filters.tsx";
import { count } from "./format.ts";
import { useKeys } from "./keys.ts";
import { onFlagChange } from "./live.ts";
import { useLoad } from "./load.ts";
import { Empty, flagPath, Show } from "./parts.tsx";
import { askedFor, readFilter, writeFilter } from "./queue-filter.ts";
import { QueueRow } from "./queue-row.tsx";
import { mayReview, navigate, search } from "./session.ts";

const PAGE = 50;
/** Rows the queue holds at most; beyond that one filters. */
const MOST_ROWS = 500;
/** Changes that arrive together are asked for together, in milliseconds. */
const GATHER_MS = 250;

/** The queue: flags that wait for an answer, live. */
export function Queue() {
  const filter = readFilter(search.value);
  const here = writeFilter(filter);
  const [limit, setLimit] = useState(PAGE);
  const page = useLoad(`${here} ${limit}`, () =>
    client.flags({ ...askedFor(filter), order: filter.order, limit }),
  );
  // While more rows or another filter load, the rows that were there stay.
  const shown = useRef<FlagSummary[]>([]);
  if (page.data) shown.current = page.data.flags;
  const flags = page.data?.flags ?? shown.current;
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const fresh = useFresh(flags, here);
  const searchBox = useRef<HTMLInputElement>(null);
  const table = useRef<HTMLTableElement>(null);

  useEffect(() => {
    setLimit(PAGE);
    setTicked(new Set());
  }, [here]);
  useEffect(() => {
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const stop = onFlagChange(() => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        page.reload();
      }, GATHER_MS);
    });
    return () => {
      stop();
      clearTimeout(gathering);
    };
  }, [page.reload]);

  const tick = useCallback((id: string) => {
    setTicked((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }, []);
  const go = (step: number) => {
    const at = flags.findIndex(({ id }) => id === current);
    const next = flags[at < 0 ? 0 : Math.min(flags.length - 1, Math.max(0, at + step))];
    if (!next) return;
    setCurrent(next.id);
    table.current?.querySelector<HTMLElement>(`a[href="${CSS.escape(flagPath(next.id))}"]`)?.focus();
  };
  const selected = useMemo(() => flags.filter(({ id }) => ticked.has(id)), [flags, ticked]);
  const subject = selected.length > 0 ? selected : flags.filter(({ id }) => id === current);
  const move = (state: "investigating" | "closed") => {
    if (!mayReview() || subject.length === 0) return;
    // The cursor goes on to the next row that stays.
    const ids = new Set(subject.map(({ id }) => id));
    const at = flags.findIndex(({ id }) => id === current);
    const next = flags.slice(Math.max(0, at)).find(({ id }) => !ids.has(id));
    if (filter.state !== "all") setCurrent(next?.id ?? null);
    moveFlags(subject, state).then(() => setTicked(new Set()));
  };
  useKeys({
    j: () => go(1),
    k: () => go(-1),
    ArrowDown: () => go(1),
    ArrowUp: () => go(-1),
    o: () => current && navigate(flagPath(current)),
    x: () => current && tick(current),
    e: () => move("closed"),
    i: () => move("investigating"),
    "/": () => searchBox.current?.focus(),
    Escape: () => setTicked(new Set()),
  });

  const [acting, setActing] = useState<{ total: number; filter: Record<string, string> } | null>(null);
  const allTicked = flags.length > 0 && selected.length === flags.length;
  return (
    <>
      <div class="page-head">
        <h1>Queue</h1>
        <span class="muted" aria-live="polite">
          {page.data ? `${count(page.data.total)} ${page.data.total === 1 ? "flag" : "flags"}` : ""}
        </span>
      </div>
      <Filters filter={filter} searchBox={searchBox} />
      <Show
        of={
          flags.length > 0 && !page.data
            ? { ...page, data: { flags, total: flags.length, next: null } }
            : page
        }
        rows={12}
      >
        {({ total, next }) =>
          flags.length === 0 ? (
            <Empty title="Nothing waits here">
              {filter.state === "open" ? "New flags appear by themselves." : "No flag matches."}
            </Empty>
          ) : (
            <>
              <div class="table-wrap">
                <table ref={table} class="queue">
                  <thead>
                    <tr>
                      <th class="tick">
                        <input
                          type="checkbox"
                          aria-label="Select all rows"
                          checked={allTicked}
                          onChange={() => setTicked(new Set(allTicked ? [] : flags.map(({ id }) => id)))}
                        />
                      </th>
                      <th>Severity</th>
                      <th>Account</th>
                      <th>Consistent with</th>
                      <th class="wide">Evidence</th>
                      <th>Likelihood</th>
                      {filter.state === "all" && <th>State</th>}
                      <th class="number">Updated</th>
                    </tr>
                  </thead>
                  <tbody>
                    {flags.map((flag) => (
                      <QueueRow
                        key={flag.id}
                        flag={flag}
                        ticked={ticked.has(flag.id)}
                        current={flag.id === current}
                        fresh={fresh.has(flag.id)}
                        state={filter.state === "all"}
                        tick={tick}
                        focus={setCurrent}
                      />
                    ))}
                  </tbody>
                </table>
              </div>
              {next && limit < MOST_ROWS && (
                <button type="button" class="more" onClick={() => setLimit(Math.min(MOST_ROWS, limit + 100))}>
                  Show more ({count(total - flags.length)} left)
                </button>
              )}
              {next && limit >= MOST_ROWS && (
                <p class="muted more">The first {MOST_ROWS} are shown: filter to see others.</p>
              )}
              {selected.length > 0 && mayReview() && (
                <BulkBar
                  selected={selected}
                  total={total}
                  onAll={() => setActing({ total, filter: askedFor(filter) })}
                  onDone={() => setTicked(new Set())}
                />
              )}
            </>
          )
        }
      </Show>
      {acting && (
        <ActOnAll
          {...acting}
          close={() => {
            setActing(null);
            setTicked(new Set());
          }}
        />
      )}
    </>
  );
}

/** Ids that were not in the queue at its last rendering under the same filter. */
function useFresh(flags: readonly FlagSummary[], here: string): ReadonlySet<string> {
  const known = useRef<{ here: string; ids: Set<string> }>({ here: "", ids: new Set() });
  const fresh = useRef<ReadonlySet<string>>(new Set());
  useMemo(() => {
    const before = known.current;
    const same = before.here === here && before.ids.size > 0;
    fresh.current = new Set(same ? flags.filter(({ id }) => !before.ids.has(id)).map(({ id }) => id) : []);
    known.current = { here, ids: new Set([...(same ? before.ids : []), ...flags.map(({ id }) => id)]) };
  }, [flags, here]);
  return fresh.current;
}
