/** The open conversation: history, typing notices, and the input field. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Entry, entriesOf, nameOf, otherParticipant, titleOf, typingUsers } from "../client/state/selectors";
import type { State } from "../client/state/state";
import type { ConversationView, Message } from "../contract";
import { Composer, type Draft } from "./composer";
import { dayOf, listOf } from "./format";
import { useAction, useSession, useVisible } from "./hooks";
import { MessageBubble, OutgoingBubble } from "./message";
import { Avatar, Confirm, IconButton, Spinner } from "./parts";

const NEAR_PX = 80;

interface Props {
  readonly view: ConversationView;
  readonly state: State;
  readonly detailsOpen: boolean;
  readonly onDetails: () => void;
  readonly onBack: () => void;
}

export function ThreadPane({ view, state, detailsOpen, onDetails, onBack }: Props): JSX.Element {
  const session = useSession();
  const { run } = useAction();
  const [draft, setDraft] = useState<Draft>({ kind: "new" });
  const [deleting, setDeleting] = useState<Message | null>(null);
  const id = view.conversationId;
  const title = titleOf(state, view);
  const other = otherParticipant(state, view);
  const typing = typingUsers(state, id, Date.now());
  const subtitle =
    view.type === "GROUP"
      ? `${view.participants.length} members`
      : other !== null && state.blocked.includes(other)
      ? "Blocked"
      : "";

  return (
    <section class="thread" aria-label={title}>
      <header class="thread-head">
        <IconButton icon="back" label="Back to the list" onClick={onBack} class="only-narrow" />
        <Avatar id={other ?? id} name={title} group={view.type === "GROUP"} />
        <div class="thread-title">
          <h1>{title}</h1>
          {subtitle ? <p>{subtitle}</p> : null}
        </div>
        <IconButton icon="info" label="Details" onClick={onDetails} expanded={detailsOpen} />
      </header>
      <History
        view={view}
        state={state}
        onReply={(message) => setDraft({ kind: "reply", message })}
        onEdit={(message) => setDraft({ kind: "edit", message })}
        onDelete={setDeleting}
      />
      <p class="typing" role="status">
        {typing.length > 0 ? (
          <>
            <span class="typing-dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {listOf(typing.map((userId) => nameOf(state, userId)))} {typing.length === 1 ? "is" : "are"} typing…
          </>
        ) : null}
      </p>
      <Composer view={view} state={state} draft={draft} onDraft={setDraft} />
      {deleting ? (
        <Confirm
          title="Delete message?"
          text="It is deleted for all participants of this conversation. This cannot be undone."
          action="Delete"
          onClose={() => setDeleting(null)}
          onConfirm={() => void run(() => session.remove(id, deleting.messageId))}
        />
      ) : null}
    </section>
  );
}

interface HistoryProps {
  readonly view: ConversationView;
  readonly state: State;
  readonly onReply: (message: Message) => void;
  readonly onEdit: (message: Message) => void;
  readonly onDelete: (message: Message) => void;
}

function momentOfEntry(entry: Entry): string | null {
  return entry.kind === "message"
    ? entry.message.timestamp
    : entry.kind === "outgoing"
    ? entry.outgoing.createdAt
    : null;
}

function senderOfEntry(entry: Entry | undefined, me: string): string | null {
  return entry?.kind === "message" ? entry.message.senderId : entry?.kind === "outgoing" ? me : null;
}

function History({ view, state, onReply, onEdit, onDelete }: HistoryProps): JSX.Element {
  const session = useSession();
  const visible = useVisible();
  const { busy, run } = useAction();
  const scroller = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [away, setAway] = useState(false);
  const height = useRef({ first: "", scrollHeight: 0 });
  const id = view.conversationId;
  const thread = state.threads[id];
  const entries = entriesOf(state, id);
  const first = entries[0]?.key ?? "";
  const lastEntry = entries[entries.length - 1];
  const last = lastEntry?.key ?? "";

  const toBottom = (): void => {
    const element = scroller.current;
    if (element) {
      element.scrollTop = element.scrollHeight;
    }
  };

  // Older messages are added above, and the visible ones must not move. New ones scroll only if the user is at the end.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    const before = height.current;
    if (before.first !== "" && before.first !== first && !atBottom.current) {
      element.scrollTop += element.scrollHeight - before.scrollHeight;
    } else if (atBottom.current) {
      toBottom();
    }
    height.current = { first, scrollHeight: element.scrollHeight };
  });

  useEffect(() => {
    if (lastEntry?.kind === "outgoing") {
      atBottom.current = true;
      toBottom();
    }
  }, [last, lastEntry?.kind]);

  // The input field grows while the user writes, and a phone's keyboard opens: stay at the end.
  useEffect(() => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => {
      if (atBottom.current) {
        toBottom();
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (visible && !away && (thread?.through ?? 0) > view.lastReadSeq) {
      void session.markRead(id);
    }
  }, [visible, away, thread?.through, view.lastReadSeq, id, session]);

  const older = (): void => {
    if (!busy && thread?.olderCursor) {
      void run(() => session.loadOlder(id));
    }
  };

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    atBottom.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    setAway(!atBottom.current);
    if (element.scrollTop < NEAR_PX) {
      older();
    }
  };

  const byId = new Map(thread?.messages.map((message) => [message.messageId, message]));
  const newestOwn = thread?.messages.findLast(
    (message) => message.senderId === state.me && !message.deleted
  )?.messageId;
  let day = "";
  return (
    <div class="history-frame">
      <div class="history" ref={scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label="Messages">
        {!thread ? (
          <div class="history-note">
            <Spinner label="Loading messages" />
          </div>
        ) : thread.olderCursor !== null ? (
          <div class="history-note">
            <button type="button" class="button" disabled={busy} onClick={older}>
              {busy ? "Loading…" : "Show earlier messages"}
            </button>
          </div>
        ) : (
          <p class="history-note">This is the beginning of the conversation.</p>
        )}
        <div role="log" aria-label="Conversation" aria-busy={busy || !thread}>
          <ol class="messages">
            {entries.map((entry, index) => {
              const moment = momentOfEntry(entry);
              const entryDay = moment === null ? day : dayOf(moment);
              const newDay = entryDay !== day;
              day = entryDay;
              const sender = senderOfEntry(entry, state.me);
              const follows = !newDay && sender !== null && senderOfEntry(entries[index - 1], state.me) === sender;
              return (
                <li key={entry.key} class={follows ? "follows" : ""}>
                  {newDay ? <h2 class="day">{entryDay}</h2> : null}
                  {entry.kind === "gap" ? (
                    <p class="history-note history-gap" role="status">
                      Loading missed messages…
                    </p>
                  ) : null}
                  {entry.kind === "message" ? (
                    <MessageBubble
                      message={entry.message}
                      quoted={entry.message.replyTo === null ? undefined : byId.get(entry.message.replyTo) ?? null}
                      view={view}
                      state={state}
                      follows={follows}
                      newestOwn={entry.message.messageId === newestOwn}
                      onReply={onReply}
                      onEdit={onEdit}
                      onDelete={onDelete}
                    />
                  ) : null}
                  {entry.kind === "outgoing" ? <OutgoingBubble outgoing={entry.outgoing} /> : null}
                </li>
              );
            })}
          </ol>
        </div>
      </div>
      {away ? (
        <IconButton
          icon="down"
          label={
            view.unreadCount > 0 ? `${view.unreadCount} new, go to the newest message` : "Go to the newest message"
          }
          class="to-bottom"
          onClick={toBottom}
        />
      ) : null}
    </div>
  );
}
