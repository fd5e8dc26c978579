import { useEffect, useRef } from "preact/hooks";

const KEYS: [title: string, keys: [key: string, does: string][]][] = [
  [
    "Queue",
    [
      ["j  k", "next, previous flag"],
      ["o  Enter", "open it"],
      ["x", "select it"],
      ["i", "investigate"],
      ["e", "close"],
      ["/", "search accounts"],
      ["Esc", "clear the selection"],
    ],
  ],
  [
    "Flag",
    [
      ["1  2  3", "confirm, useful, false positive"],
      ["e", "go to the verdict"],
      ["i", "investigate"],
      ["u", "back to the queue"],
    ],
  ],
  ["Everywhere", [["?", "this help"]]],
];

/** The keys, in a dialog of their own. */
export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title" class="help">
      <h2 id="help-title">Keys</h2>
      <div class="help-columns">
        {KEYS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, does]) => (
                <div key={key}>
                  <dt>
                    {key.split("  ").map((each) => (
                      <kbd key={each}>{each}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
