/** Sign in, sign up and confirm; and one button for each demo user of a local cloud. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { confirmAccount, resendCode, signInWith, signUpWith } from "../client/auth";
import type { DemoUser } from "../config";
import { limits } from "../contract";
import { Avatar, Field, Spinner } from "./parts";

type Form = "signIn" | "signUp" | "confirm";

const TITLES: Readonly<Record<Form, string>> = {
  signIn: "Sign in",
  signUp: "Create your account",
  confirm: "Confirm your e-mail address",
};

export function Auth({
  demoUsers,
  signOutReason,
  onSignedIn,
}: {
  readonly demoUsers: readonly DemoUser[];
  readonly signOutReason: string | null;
  readonly onSignedIn: () => Promise<void>;
}): JSX.Element {
  const [form, setForm] = useState<Form>("signIn");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [hint, setHint] = useState<string | null>(signOutReason);

  const show = (next: Form): void => {
    setForm(next);
    setError(null);
    setHint(null);
  };

  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await action();
    } catch (reason) {
      setError((reason as Error).message);
    } finally {
      setBusy(false);
    }
  };

  const enter = async (asEmail: string, asPassword: string): Promise<void> => {
    if ((await signInWith(asEmail, asPassword)) === "confirm") {
      show("confirm");
      setHint(`Enter the code that was sent to ${asEmail}.`);
      return;
    }
    await onSignedIn();
  };

  const submit = async (): Promise<void> => {
    const address = email.trim();
    if (form === "signIn") {
      return enter(address, password);
    }
    if (form === "signUp") {
      const step = await signUpWith({
        email: address,
        password,
        firstName: firstName.trim(),
        lastName: lastName.trim(),
      });
      if (step === "done") {
        return enter(address, password);
      }
      show("confirm");
      setHint(`Enter the code that was sent to ${address}.`);
      return;
    }
    await confirmAccount(address, code.trim());
    return enter(address, password);
  };

  return (
    <main class="centre auth">
      <div class="card">
        <div class="brand">
          <span class="brand-mark" aria-hidden="true" />
          <span>PantherKolab</span>
        </div>
        <h1>{TITLES[form]}</h1>
        {hint ? <p class="hint">{hint}</p> : null}
        <form
          class="stack"
          aria-label={TITLES[form]}
          onSubmit={(event) => {
            event.preventDefault();
            void attempt(submit);
          }}
        >
          {form === "signUp" ? (
            <div class="columns">
              <Field
                label="First name"
                value={firstName}
                onInput={setFirstName}
                autoComplete="given-name"
                required
                maxCharacters={limits.NAME_CHARACTERS}
              />
              <Field
                label="Last name"
                value={lastName}
                onInput={setLastName}
                autoComplete="family-name"
                maxCharacters={limits.NAME_CHARACTERS}
              />
            </div>
          ) : null}
          {form === "confirm" ? (
            <Field
              label="Code"
              value={code}
              onInput={setCode}
              autoComplete="one-time-code"
              inputMode="numeric"
              required
              autoFocus
            />
          ) : (
            <>
              <Field
                label="E-mail"
                type="email"
                value={email}
                onInput={setEmail}
                autoComplete="username"
                inputMode="email"
                required
              />
              <Field
                label="Password"
                type="password"
                value={password}
                onInput={setPassword}
                autoComplete={form === "signIn" ? "current-password" : "new-password"}
                required
                {...(form === "signUp"
                  ? { hint: "A long one, with upper-case and lower-case letters, digits and symbols." }
                  : {})}
              />
            </>
          )}
          {error ? (
            <p class="error" role="alert">
              {error}
            </p>
          ) : null}
          <button type="submit" class="button button-primary button-wide" disabled={busy}>
            {busy ? (
              <Spinner label="One moment" />
            ) : form === "signIn" ? (
              "Sign in"
            ) : form === "signUp" ? (
              "Sign up"
            ) : (
              "Confirm"
            )}
          </button>
        </form>
        <div class="auth-links">
          {form === "signIn" ? (
            <button type="button" class="link" onClick={() => show("signUp")}>
              New here? Create an account
            </button>
          ) : (
            <button type="button" class="link" onClick={() => show("signIn")}>
              Back to sign in
            </button>
          )}
          {form === "confirm" ? (
            <button
              type="button"
              class="link"
              disabled={busy}
              onClick={() =>
                void attempt(async () => {
                  await resendCode(email.trim());
                  setHint("A new code was sent.");
                })
              }
            >
              Send a new code
            </button>
          ) : null}
        </div>
        {form === "signIn" && demoUsers.length > 0 ? (
          <section class="demo" aria-labelledby="demo-title">
            <h2 id="demo-title">Demo users</h2>
            <div class="demo-users">
              {demoUsers.map((user) => (
                <button
                  type="button"
                  key={user.email}
                  class="demo-user"
                  disabled={busy}
                  onClick={() => void attempt(() => enter(user.email, user.password))}
                >
                  <Avatar id={user.email} name={user.name} small />
                  <span>{user.name}</span>
                </button>
              ))}
            </div>
            <p class="hint">Open the page in a second tab to be both users.</p>
          </section>
        ) : null}
      </div>
    </main>
  );
}
