import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "./style.css";
import { client } from "./client.ts";
import { Help } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { listen, liveness } from "./live.ts";
import { Empty } from "./parts.tsx";
import { Queue } from "./queue.tsx";
import { attempt, path, refreshStatus, signedOut, status, toast, unreachable, zone } from "./session.ts";
import { SignIn } from "./sign-in.tsx";
import { Text } from "./text.tsx";

/** Pages that draw come when they are opened, so that the queue is there first. */
function later<Props>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return (props: Props) => {
    const [, shown] = useState(loaded);
    useEffect(() => {
      if (!loaded)
        load().then((page) => {
          loaded = page;
          shown(() => page);
        });
    }, []);
    const Page = loaded as ComponentType<object> | undefined;
    return Page ? <Page {...(props as object)} /> : <div class="skeleton" aria-busy="true" />;
  };
}

const loadFlag = () => import("./flag-page.tsx").then((module) => module.FlagPage);
const FlagPage = later(loadFlag);
const Overview = later(() => import("./overview.tsx").then((module) => module.Overview));
const ModelPage = later(() => import("./model.tsx").then((module) => module.ModelPage));
const NetworkPage = later(() => import("./network.tsx").then((module) => module.NetworkPage));
const ScreeningPage = later(() => import("./screening.tsx").then((module) => module.ScreeningPage));
const Deliveries = later(() => import("./deliveries.tsx").then((module) => module.Deliveries));
const AccountPage = later(() => import("./account.tsx").then((module) => module.AccountPage));
const Audit = later(() => import("./audit.tsx").then((module) => module.Audit));

const PAGES: [path: string, name: string][] = [
  ["/", "Queue"],
  ["/overview", "Overview"],
  ["/model", "Model"],
  ["/network", "Network"],
  ["/screening", "Screening"],
  ["/deliveries", "Deliveries"],
  ["/audit", "Audit"],
];

function Page() {
  const [, first, second, third] = path.value.split("/").map(decodeURIComponent);
  useEffect(() => {
    const name = PAGES.find(([each]) => each === path.value)?.[1] ?? second ?? "Assay";
    document.title = `${name} · Assay`;
  }, [path.value]);
  switch (first) {
    case "":
      return <Queue />;
    case "flags":
      return <FlagPage id={second ?? ""} />;
    case "accounts":
      return <AccountPage pool={second ?? ""} account={third ?? ""} />;
    case "overview":
      return <Overview />;
    case "model":
      return <ModelPage />;
    case "network":
      return <NetworkPage />;
    case "screening":
      return <ScreeningPage />;
    case "deliveries":
      return <Deliveries />;
    case "audit":
      return <Audit />;
    default:
      return (
        <Empty title="There is no such page">
          <a href="/">Back to the queue</a>
        </Empty>
      );
  }
}

function Bar({ help }: { help: () => void }) {
  const live = liveness.value === "live";
  const user = status.value?.user;
  return (
    <header class="top">
      <a class="brand" href="/">
        Assay
      </a>
      <nav aria-label="Pages">
        {PAGES.map(([to, name]) => (
          <a key={to} href={to} aria-current={path.value === to ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <span class="spring" />
      <span
        class={live ? "live on" : "live"}
        role="status"
        title={live ? "Flags arrive as they happen" : "Connecting again"}
      >
        {live ? "Live" : "Waiting"}
      </span>
      <button
        type="button"
        class="quiet"
        title="Time zone of all times"
        onClick={() => {
          zone.value = zone.value === "UTC" ? "local" : "UTC";
        }}
      >
        {zone.value === "UTC" ? "UTC" : "Local time"}
      </button>
      <button type="button" class="quiet" aria-label="Keys" onClick={help}>
        ?
      </button>
      {user && (
        <span class="user" title={`Role: ${user.role}`}>
          <Text of={user.name} />
        </span>
      )}
      {status.value?.signIn && (
        <button
          type="button"
          class="quiet"
          onClick={() =>
            attempt(async () => {
              await client.signOut();
              signedOut.value = true;
            })
          }
        >
          Sign out
        </button>
      )}
    </header>
  );
}

function App() {
  const [help, setHelp] = useState(false);
  useKeys({ "?": () => setHelp(true) });
  useEffect(() => {
    refreshStatus();
    const again = setInterval(refreshStatus, 30_000);
    return () => clearInterval(again);
  }, []);
  useEffect(() => {
    if (signedOut.value === false) {
      listen();
      // The next thing an operator does is to open a flag.
      loadFlag();
    }
  }, [signedOut.value]);
  if (signedOut.value === true) return <SignIn />;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Bar help={() => setHelp(true)} />
      {unreachable.value && (
        <div class="problem" role="alert">
          {unreachable.value} What you see may be old.
        </div>
      )}
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      <div class="toast-place" role="status">
        {toast.value && (
          <div class={toast.value.bad ? "toast bad" : "toast"}>
            <Text of={toast.value.text} />
            {toast.value.undo && (
              <button
                type="button"
                onClick={() => {
                  toast.value?.undo?.();
                  toast.value = null;
                }}
              >
                Undo
              </button>
            )}
          </div>
        )}
      </div>
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
