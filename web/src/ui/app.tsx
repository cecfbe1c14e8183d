/** The page: loads the settings, then shows sign-in, then the chat. */

import { type JSX, render } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { HttpApi } from "../client/api";
import { accessToken, configureAmplify, currentUser, signOutHere } from "../client/auth";
import { systemClock } from "../client/clock";
import { AmplifyRealtime } from "../client/realtime";
import { Session } from "../client/session";
import { type Config, loadConfig } from "../config";
import { Auth } from "./auth";
import { Chat } from "./chat";
import { NoticeContext, SessionContext } from "./hooks";
import { Spinner } from "./parts";

const NOTICE_MS = 6_000;
const SIGN_OUT_REASON_KEY = "signOutReason";

type Phase =
  | { readonly name: "loading" }
  | { readonly name: "failed"; readonly message: string }
  | { readonly name: "signedOut"; readonly config: Config; readonly signOutReason: string | null }
  | { readonly name: "signedIn"; readonly session: Session };

/** End the session and reload the page, so that none of it stays in memory. */
async function leave(session: Session | null, signOutReason: string | null): Promise<void> {
  await session?.stop();
  await signOutHere();
  if (signOutReason !== null) {
    window.sessionStorage.setItem(SIGN_OUT_REASON_KEY, signOutReason);
  }
  window.location.reload();
}

function takeSignOutReason(): string | null {
  const signOutReason = window.sessionStorage.getItem(SIGN_OUT_REASON_KEY);
  window.sessionStorage.removeItem(SIGN_OUT_REASON_KEY);
  return signOutReason;
}

function startSession(me: string, config: Config): Session {
  let ending = false;
  const end = (): void => {
    if (!ending) {
      ending = true;
      void leave(session, "Your session has ended. Sign in again.");
    }
  };
  const api = new HttpApi(config.apiUrl, accessToken, systemClock.sleep, end);
  const session: Session = new Session(me, api, new AmplifyRealtime(me, systemClock), systemClock);
  void session.start();
  return session;
}

function App(): JSX.Element {
  const [phase, setPhase] = useState<Phase>({ name: "loading" });
  const [notice, setNotice] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const showNotice = useCallback((text: string) => {
    clearTimeout(timer.current);
    setNotice(text);
    timer.current = setTimeout(() => setNotice(null), NOTICE_MS);
  }, []);

  const enter = useCallback(async (config: Config) => {
    const me = await currentUser();
    setPhase(
      me === null
        ? { name: "signedOut", config, signOutReason: takeSignOutReason() }
        : { name: "signedIn", session: startSession(me, config) }
    );
  }, []);

  useEffect(() => {
    loadConfig()
      .then((config) => {
        configureAmplify(config);
        return enter(config);
      })
      .catch((error: unknown) => setPhase({ name: "failed", message: (error as Error).message }));
  }, [enter]);

  return (
    <NoticeContext.Provider value={showNotice}>
      {phase.name === "loading" ? (
        <main class="centre">
          <Spinner label="Loading" />
        </main>
      ) : null}
      {phase.name === "failed" ? (
        <main class="centre">
          <div class="card" role="alert">
            <h1>PantherKolab</h1>
            <p>{phase.message}</p>
            <button type="button" class="button button-primary" onClick={() => window.location.reload()}>
              Try again
            </button>
          </div>
        </main>
      ) : null}
      {phase.name === "signedOut" ? (
        <Auth
          demoUsers={phase.config.demoUsers}
          signOutReason={phase.signOutReason}
          onSignedIn={() => enter(phase.config)}
        />
      ) : null}
      {phase.name === "signedIn" ? (
        <SessionContext.Provider value={phase.session}>
          <Chat onSignOut={() => void leave(phase.session, null)} />
        </SessionContext.Provider>
      ) : null}
      <div class="notices" role="alert">
        {notice !== null ? <p class="notice">{notice}</p> : null}
      </div>
    </NoticeContext.Provider>
  );
}

export function mount(root: HTMLElement): void {
  render(<App />, root);
}
