import { useState } from "preact/hooks";
import { client } from "./client.ts";
import { refreshStatus } from "./session.ts";

/** Asks for a token and hands it over once; the browser keeps a cookie that no script can read. */
export function SignIn() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await client.signIn(token);
      setToken("");
      await refreshStatus();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form class="sign-in" onSubmit={send}>
      <h1>Assay</h1>
      <label class="field">
        Access token
        <input
          type="password"
          autoComplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="primary">
        Sign in
      </button>
      <p class="muted">Tokens are set in the configuration under http.tokens.</p>
    </form>
  );
}
