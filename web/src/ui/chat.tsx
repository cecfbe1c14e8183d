/** The chat: list, open conversation and its details, side by side or one at a time on a phone. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { totalUnread } from "../client/state/selectors";
import { Details } from "./details";
import { useAction, useChatState, useSession } from "./hooks";
import { Sidebar } from "./sidebar";
import { Icon } from "./parts";
import { ThreadPane } from "./thread";

export function Chat({ onSignOut }: { readonly onSignOut: () => void }): JSX.Element {
  const session = useSession();
  const state = useChatState();
  const { run } = useAction();
  const [details, setDetails] = useState(false);
  const view = state.selected === null ? undefined : state.rows[state.selected]?.view;
  const unread = totalUnread(state);

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) PantherKolab` : "PantherKolab";
  }, [unread]);

  const open = (conversationId: string | null): void => {
    setDetails(false);
    void run(() => session.open(conversationId));
  };

  return (
    <div class={`chat ${view ? "chat-open" : ""} ${view && details ? "chat-details" : ""}`}>
      <Sidebar state={state} onOpen={open} onSignOut={onSignOut} />
      <main class="pane">
        {view ? (
          <ThreadPane
            key={view.conversationId}
            view={view}
            state={state}
            detailsOpen={details}
            onDetails={() => setDetails(!details)}
            onBack={() => open(null)}
          />
        ) : (
          <div class="empty">
            <span class="empty-mark">
              <Icon name="chat" />
            </span>
            <h2>Your conversations</h2>
            <p>Choose a conversation, or start a new one.</p>
          </div>
        )}
      </main>
      {view && details ? (
        <Details key={view.conversationId} view={view} state={state} onClose={() => setDetails(false)} />
      ) : null}
    </div>
  );
}
