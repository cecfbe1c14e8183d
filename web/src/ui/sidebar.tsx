/** The signed-in user, the state of the connection, and the conversations, newest message first. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { nameOf, orderedConversations, otherParticipant, titleOf, typingUsers } from "../client/state/selectors";
import type { Connection, State } from "../client/state/state";
import type { ConversationView, LastMessage } from "../contract";
import { momentOf } from "./format";
import { useAction, useSession } from "./hooks";
import { NewDirect, NewGroup } from "./newConversation";
import { Avatar, IconButton, Spinner } from "./parts";

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  refused: "Live updates refused",
};

function ConnectionState({ connection }: { readonly connection: Connection }): JSX.Element {
  const session = useSession();
  const retry = connection === "reconnecting" || connection === "refused";
  return (
    <div class={`connection connection-${connection}`}>
      <span class="connection-dot" aria-hidden="true" />
      <span role="status" data-connection={connection}>
        {CONNECTIONS[connection]}
      </span>
      {retry ? (
        <button type="button" class="link" onClick={() => session.reconnect()}>
          Try now
        </button>
      ) : null}
    </div>
  );
}

const TYPE_NAMES: Readonly<Record<LastMessage["type"], string>> = {
  TEXT: "Message",
  AUDIO: "Voice message",
  IMAGE: "Picture",
  VIDEO: "Video",
  FILE: "File",
};

function previewOf(state: State, view: ConversationView): string {
  const last = view.lastMessage;
  if (!last) {
    return "No messages yet";
  }
  const content = last.deleted ? "Message deleted" : last.preview ?? TYPE_NAMES[last.type];
  const sender =
    last.senderId === state.me ? "You: " : view.type === "GROUP" ? `${nameOf(state, last.senderId)}: ` : "";
  return sender + content;
}

function Row({
  state,
  view,
  onOpen,
}: {
  readonly state: State;
  readonly view: ConversationView;
  readonly onOpen: (conversationId: string) => void;
}): JSX.Element {
  const title = titleOf(state, view);
  const typing = typingUsers(state, view.conversationId, Date.now()).length > 0;
  const moment = view.lastMessageAt ?? view.createdAt;
  return (
    <li>
      <button
        type="button"
        class="row"
        aria-current={state.selected === view.conversationId ? "true" : undefined}
        data-conversation={view.conversationId}
        onClick={() => onOpen(view.conversationId)}
      >
        <Avatar id={otherParticipant(state, view) ?? view.conversationId} name={title} group={view.type === "GROUP"} />
        <span class="row-text">
          <span class="row-head">
            <span class="row-title">{title}</span>
            <time class="row-time" dateTime={moment}>
              {momentOf(moment)}
            </time>
          </span>
          <span class="row-head">
            <span class={`row-preview ${typing ? "row-typing" : ""}`}>
              {typing ? "typing…" : previewOf(state, view)}
            </span>
            {view.unreadCount > 0 ? (
              <span class="badge">
                {view.unreadCount > 99 ? "99+" : view.unreadCount}
                <span class="visually-hidden"> unread</span>
              </span>
            ) : null}
          </span>
        </span>
      </button>
    </li>
  );
}

export function Sidebar({
  state,
  onOpen,
  onSignOut,
}: {
  readonly state: State;
  readonly onOpen: (conversationId: string) => void;
  readonly onSignOut: () => void;
}): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [dialog, setDialog] = useState<"direct" | "group" | null>(null);
  const conversations = orderedConversations(state);
  const myName = state.profile?.fullName ?? "";
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="sidebar-head">
        <Avatar id={state.me} name={myName || "?"} />
        <div class="sidebar-me">
          <strong>{myName || "\u00a0"}</strong>
          <ConnectionState connection={state.connection} />
        </div>
        <IconButton icon="out" label="Sign out" onClick={onSignOut} />
      </header>
      <div class="sidebar-actions">
        <button type="button" class="button" onClick={() => setDialog("direct")}>
          New chat
        </button>
        <button type="button" class="button" onClick={() => setDialog("group")}>
          New group
        </button>
      </div>
      {!state.listLoaded ? (
        <div class="list-empty">
          <Spinner label="Loading conversations" />
        </div>
      ) : conversations.length === 0 ? (
        <p class="list-empty">No conversations yet. Start a new chat to find a user by name.</p>
      ) : (
        <ul class="list">
          {conversations.map((view) => (
            <Row key={view.conversationId} state={state} view={view} onOpen={onOpen} />
          ))}
          {state.listCursor !== null ? (
            <li class="list-more">
              <button
                type="button"
                class="button"
                disabled={busy}
                onClick={() => void run(() => session.loadMoreConversations())}
              >
                Show more
              </button>
            </li>
          ) : null}
        </ul>
      )}
      {dialog === "direct" ? <NewDirect onClose={() => setDialog(null)} onOpen={onOpen} /> : null}
      {dialog === "group" ? <NewGroup onClose={() => setDialog(null)} onOpen={onOpen} /> : null}
    </nav>
  );
}
