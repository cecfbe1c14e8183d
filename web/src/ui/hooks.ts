/** Hooks that components share: the state, asynchronous actions, and notices to the user. */

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../client/api";
import type { Session } from "../client/session";
import type { State } from "../client/state/state";

export const SessionContext = createContext<Session | null>(null);
export const NoticeContext = createContext<(text: string) => void>(() => undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) {
    throw new Error("The component has no SessionContext.");
  }
  return session;
}

/** Return the function that shows a notice for a few seconds. */
export function useNotice(): (text: string) => void {
  return useContext(NoticeContext);
}

/** Return the state, and render again when it changes. */
export function useChatState(): State {
  const { store } = useSession();
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(() => setState(store.state));
  }, [store]);
  return state;
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 429 && error.retryAfter !== null) {
    return `${error.message} Try again in ${error.retryAfter} s.`;
  }
  return error instanceof Error ? error.message : "Something went wrong.";
}

/** Run an action: `busy` while it runs, and a notice if it fails. Resolves to whether it succeeded. */
export function useAction(): { busy: boolean; run: (action: () => Promise<unknown>) => Promise<boolean> } {
  const notice = useNotice();
  const [busy, setBusy] = useState(false);
  const mounted = useRef(true);
  useEffect(
    () => () => {
      mounted.current = false;
    },
    []
  );
  const run = useCallback(
    async (action: () => Promise<unknown>) => {
      setBusy(true);
      try {
        await action();
        return true;
      } catch (error) {
        notice(messageOf(error));
        return false;
      } finally {
        if (mounted.current) {
          setBusy(false);
        }
      }
    },
    [notice]
  );
  return { busy, run };
}

/** Return whether the page is visible. */
export function useVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const update = (): void => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", update);
    return () => document.removeEventListener("visibilitychange", update);
  }, []);
  return visible;
}
