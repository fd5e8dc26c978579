import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client.ts";
import { signedOut } from "./session.ts";

/** What a page knows of something it asked for. What was there stays visible while it is asked again. */
export interface Loaded<T> {
  data: T | null;
  error: ApiError | null;
  reload: () => void;
}

/** Asks at once and whenever `key` changes; the answer to an older question is dropped. */
export function useLoad<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [held, setHeld] = useState<{ key: string; data: T | null; error: ApiError | null }>({
    key,
    data: null,
    error: null,
  });
  const latest = useRef(0);
  const loader = useRef(load);
  loader.current = load;
  const reload = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    loader.current().then(
      (data) => mine === latest.current && setHeld({ key, data, error: null }),
      (cause) => {
        if (mine !== latest.current) return;
        const error = cause instanceof ApiError ? cause : new ApiError(0, String(cause));
        if (error.status === 401) signedOut.value = true;
        setHeld((before) => ({ key, data: before.key === key ? before.data : null, error }));
      },
    );
  }, [key]);
  useEffect(reload, [reload]);
  const current = held.key === key;
  return { data: current ? held.data : null, error: current ? held.error : null, reload };
}
