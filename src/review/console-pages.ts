import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Express, static as files } from "express";

/** Pages of the console; the browser draws them from the one document. */
const PAGES = [
  "/",
  "/flags/:id",
  "/accounts/:pool/:account",
  "/overview",
  "/model",
  "/network",
  "/screening",
  "/deliveries",
  "/audit",
];

/** Written into the document itself, so that it stands on every page even where no script runs. */
const BANNER = '<div class="demo-banner" role="note">Demo: everything here is simulated</div>';
const NOT_BUILT = "The console has not been built: run `npm run console`.";

/** Serves the built console from `directory`. Its files carry a hash in their names and may be kept for ever. */
export function mountConsole(app: Express, directory: string, demo: boolean): void {
  const readPage = async () => {
    try {
      const html = await readFile(join(directory, "index.html"), "utf8");
      return html.replace("<!--banner-->", demo ? BANNER : "");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  };
  app.use("/assets", files(join(directory, "assets"), { immutable: true, maxAge: "1y", index: false }));
  app.get(PAGES, async (_request, response) => {
    const html = await readPage();
    if (html === null) {
      response.status(503).type("text/plain").send(NOT_BUILT);
      return;
    }
    response.set("Cache-Control", "no-cache").type("html").send(html);
  });
}
