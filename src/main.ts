import { ConfigError } from "./config.ts";
import { USAGE, UsageError } from "./main/usage.ts";
import { VERSION } from "./main/version.ts";

/**
 * The command line. A command is a function of its arguments and a signal; it is loaded when it is called, so that
 * `assay help` does not wait for TensorFlow. With src/main/ this is the only place that wires folders together.
 */
type Command = (args: string[], signal: AbortSignal) => Promise<void>;

const COMMANDS: Record<string, () => Promise<Command>> = {
  run: async () => (await import("./main/run.ts")).run,
  tap: async () => (await import("./main/tap.ts")).tap,
  check: async () => (await import("./main/check.ts")).check,
  replay: async () => (await import("./main/replay.ts")).replay,
  simulate: async () => (await import("./main/simulate.ts")).simulate,
  train: async () => (await import("./main/train.ts")).train,
  evaluate: async () => (await import("./main/evaluate.ts")).evaluate,
  screen: async () => (await import("./main/screen.ts")).screen,
  lists: async () => (await import("./main/lists.ts")).lists,
  alert: async () => (await import("./main/alert.ts")).alert,
};

/** Exit status of a command that a signal has ended: that of SIGINT in a shell. */
const ENDED = 130;

/** Ctrl-C and SIGTERM end the command in order; a second one ends it at once. */
function endOnSignals(): AbortSignal {
  const ending = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (ending.signal.aborted) process.exit(ENDED);
      ending.abort();
    });
  }
  return ending.signal;
}

async function main([name = "help", ...args]: string[]): Promise<number> {
  if (name === "help" || [name, ...args].some((each) => each === "--help" || each === "-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (!load) throw new UsageError(`unknown command "${name}"; assay help lists them`);
    const command = await load();
    await command(args, endOnSignals());
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** Says what went wrong in words; nothing prints a stack trace at a user unless ASSAY_DEBUG asks for it. */
function report(error: unknown): number {
  if (error instanceof ConfigError) {
    const { mistakes } = error;
    process.stderr.write(
      `assay: the configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}:\n`,
    );
    for (const mistake of mistakes) process.stderr.write(`  ${mistake}\n`);
    return 2;
  }
  const { name, message, code, cause } = error as Error & { code?: unknown };
  if (name === "AbortError") {
    process.stderr.write("assay: ended before it was done\n");
    return ENDED;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`assay: ${message}\n`);
    return 2;
  }
  if (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS")) {
    // What follows the first sentence is advice about node's own ways.
    process.stderr.write(`assay: ${message.split(". ")[0]}; see assay help\n`);
    return 2;
  }
  process.stderr.write(`assay: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
