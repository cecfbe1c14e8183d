/** The search for users by name. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PublicUser, limits } from "../contract";
import { messageOf, useSession } from "./hooks";
import { Avatar, Field, Spinner } from "./parts";

const PAUSE_MS = 250;

type Search =
  | { readonly name: "idle" }
  | { readonly name: "searching" }
  | { readonly name: "found"; readonly users: readonly PublicUser[] }
  | { readonly name: "failed"; readonly message: string };

/** A search field and its results; `action` names what choosing a user does. */
export function PeopleSearch({
  action,
  exclude,
  busy,
  autoFocus,
  onChoose,
}: {
  readonly action: string;
  readonly exclude: readonly string[];
  readonly busy?: boolean;
  readonly autoFocus?: boolean;
  readonly onChoose: (user: PublicUser) => void;
}): JSX.Element {
  const session = useSession();
  const [query, setQuery] = useState("");
  const [search, setSearch] = useState<Search>({ name: "idle" });
  const latest = useRef("");

  useEffect(() => {
    const wanted = query.trim();
    latest.current = wanted;
    if (wanted.length < limits.SEARCH_PREFIX_CHARACTERS) {
      setSearch({ name: "idle" });
      return;
    }
    const timer = setTimeout(() => {
      setSearch({ name: "searching" });
      session.search(wanted).then(
        (users) => latest.current === wanted && setSearch({ name: "found", users }),
        (error: unknown) => latest.current === wanted && setSearch({ name: "failed", message: messageOf(error) })
      );
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query, session]);

  const users = search.name === "found" ? search.users.filter((user) => !exclude.includes(user.userId)) : [];
  return (
    <div
      class="stack"
      onKeyDown={(event) => {
        // In a form, Enter would submit the form.
        if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
          event.preventDefault();
        }
      }}
    >
      <Field
        label="Name"
        type="search"
        value={query}
        onInput={setQuery}
        maxCharacters={limits.SEARCH_QUERY_CHARACTERS}
        inputMode="search"
        autoFocus={autoFocus ?? false}
        autoComplete="off"
      />
      <div class="results" aria-live="polite" aria-busy={search.name === "searching"}>
        {search.name === "idle" ? (
          <p class="hint">Type at least {limits.SEARCH_PREFIX_CHARACTERS} letters of a name.</p>
        ) : null}
        {search.name === "searching" ? <Spinner label="Searching" /> : null}
        {search.name === "failed" ? <p class="error">{search.message}</p> : null}
        {search.name === "found" && users.length === 0 ? (
          <p class="hint">{search.users.length > 0 ? "No other users found." : "No users found."}</p>
        ) : null}
        {users.length > 0 ? (
          <ul class="people">
            {users.map((user) => (
              <li key={user.userId}>
                <button
                  type="button"
                  class="person"
                  disabled={busy}
                  aria-label={`${action} ${user.fullName}`}
                  onClick={() => {
                    setQuery("");
                    onChoose(user);
                  }}
                >
                  <Avatar id={user.userId} name={user.fullName} small />
                  <span class="person-text">
                    <span>{user.fullName}</span>
                    {user.major ? <small>{[user.major, user.year].filter(Boolean).join(" · ")}</small> : null}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        ) : null}
      </div>
    </div>
  );
}
