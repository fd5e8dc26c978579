import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Role, User } from "./options.ts";

/** Who is asking, and whether a browser sent the credential by itself (then its Origin must be checked). */
export interface Caller {
  name: string;
  role: Role;
  ambient: boolean;
}

/** A caller, or the status and the sentence to refuse with. */
type Admission = Caller | { refused: 401 | 403; detail: string };

/** Hours of a shift; whoever comes back later signs in again. */
const SESSION_MS = 12 * 3_600_000;
/** Bound of the table of sessions; beyond it the oldest is signed out. */
const MAX_SESSIONS = 1000;
const COOKIE = "assay_session";
const RANK: Record<Role, number> = { ingest: 0, reader: 1, reviewer: 2, admin: 3 };

/** Whether `role` may do what takes `needed`. `ingest` is no step of the ladder: only itself and admin hold it. */
export function allows(role: Role, needed: Role): boolean {
  if (needed === "ingest") return role === "ingest" || role === "admin";
  return RANK[role] >= RANK[needed];
}

/** Decides who may enter: bearer tokens, the console's sessions, or loopback when no token is configured. */
export interface Access {
  readonly signIn: boolean;
  admit(request: IncomingMessage): Admission;
  /** A Set-Cookie value for a token, or null when nobody has it. */
  open(token: string, request: IncomingMessage): { user: Caller; cookie: string } | null;
  /** Ends the request's session; the Set-Cookie value that forgets it. */
  end(request: IncomingMessage): string;
}

const digest = (text: string) => createHash("sha256").update(text).digest();

/** See Access. Sessions live in memory: a restart signs everybody out, tokens stay valid. */
export function createAccess(users: readonly User[], now: () => number): Access {
  const known = users.map((user) => ({ ...user, digest: digest(user.token) }));
  const sessions = new Map<string, { user: Caller; endsMs: number }>();

  function byToken(token: string): Caller | null {
    const given = digest(token);
    // Every token is compared, so that time tells nothing of which one was near.
    const found = known.filter((user) => timingSafeEqual(user.digest, given))[0];
    return found ? { name: found.name, role: found.role, ambient: false } : null;
  }

  function bySession(request: IncomingMessage): Caller | null {
    const session = sessions.get(cookieOf(request) ?? "");
    return session && session.endsMs > now() ? session.user : null;
  }

  return {
    signIn: known.length > 0,
    admit(request) {
      if (known.length === 0) return admitLocal(request);
      const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
      const caller = bearer ? byToken(bearer) : bySession(request);
      return caller ?? { refused: 401, detail: "A token is needed: send it as Authorization: Bearer." };
    },
    open(token, request) {
      const user = byToken(token);
      if (!user) return null;
      const id = randomBytes(32).toString("base64url");
      const oldest = sessions.keys().next();
      if (sessions.size >= MAX_SESSIONS && !oldest.done) sessions.delete(oldest.value);
      sessions.set(id, { user: { ...user, ambient: true }, endsMs: now() + SESSION_MS });
      // The browser says by its Origin whether it came by TLS (through a proxy in front); then the cookie stays on TLS.
      const secure = request.headers.origin?.startsWith("https:") ? "; Secure" : "";
      const cookie = `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}${secure}`;
      return { user, cookie };
    },
    end(request) {
      sessions.delete(cookieOf(request) ?? "");
      return `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
    },
  };
}

function cookieOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === COOKIE)?.[1];
}

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Without tokens: a loopback peer that also *asked for* a loopback name, or a web page could rebind its own name to us. */
function admitLocal(request: IncomingMessage): Admission {
  if (!LOOPBACK.test(request.socket.remoteAddress ?? ""))
    return {
      refused: 403,
      detail: "No tokens are configured, so only this machine may connect. See http.tokens.",
    };
  if (!LOOPBACK_HOST.test(request.headers.host ?? ""))
    return {
      refused: 403,
      detail: "The Host header does not name this machine; without tokens only localhost is answered.",
    };
  return { name: "local", role: "reviewer", ambient: true };
}

/** Whether another site's page asks: it could not read the answer, but a look-up it makes us do would be recorded. */
export const fromElsewhere = (request: IncomingMessage): boolean =>
  request.headers["sec-fetch-site"] === "cross-site";

/**
 * Whether a request that changes something came from our own pages, or from no browser at all. A browser names the
 * page's origin with every POST and DELETE; one that is missing both headers is a program, and holds no user's cookies.
 */
export function fromOwnPages(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === host;
  return site === undefined || site === "same-origin";
}
