/** One message bubble: a stored message, or an outgoing one. */

import type { ComponentChildren, JSX } from "preact";
import { nameOf, readersOf } from "../client/state/selectors";
import type { Outgoing, State } from "../client/state/state";
import type { ConversationView, Message } from "../contract";
import { sizeOf, timeOf } from "./format";
import { useSession } from "./hooks";
import { Avatar, Icon, IconButton } from "./parts";

const LINK = /(https:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/g;

function linked(text: string): ComponentChildren {
  return text.split(LINK).map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noopener noreferrer">
        {part}
      </a>
    ) : (
      part
    )
  );
}

function Media({ message }: { readonly message: Message }): JSX.Element | null {
  if (message.mediaUrl === null || !message.mediaUrl.startsWith("https://")) {
    return null;
  }
  const kind = message.type.charAt(0) + message.type.slice(1).toLowerCase();
  const facts = [
    message.fileSize === null ? null : sizeOf(message.fileSize),
    message.duration === null ? null : `${Math.round(message.duration)} s`,
  ];
  return (
    <a class="media" href={message.mediaUrl} target="_blank" rel="noopener noreferrer">
      <Icon name="file" />
      <span>
        <span>{message.fileName ?? kind}</span>
        <small>{[kind, ...facts.filter(Boolean)].join(" · ")}</small>
      </span>
    </a>
  );
}

/** The text of a quoted message in one line; null is a message that is not loaded. */
export function excerptOf(message: Message | null): string {
  if (message === null) {
    return "An earlier message";
  }
  return message.deleted ? "Message deleted" : message.content ?? message.fileName ?? message.type.toLowerCase();
}

interface Props {
  readonly message: Message;
  /** The message replied to; null if it is not loaded. */
  readonly quoted: Message | null | undefined;
  readonly view: ConversationView;
  readonly state: State;
  readonly follows: boolean;
  readonly newestOwn: boolean;
  readonly onReply: (message: Message) => void;
  readonly onEdit: (message: Message) => void;
  readonly onDelete: (message: Message) => void;
}

function deliveryOf(state: State, view: ConversationView, message: Message): string {
  const readers = readersOf(state, message);
  if (readers.length === 0) {
    return "Sent";
  }
  return view.type === "DM"
    ? "Read"
    : readers.length >= view.participants.length - 1
    ? "Read by all"
    : `Read by ${readers.length}`;
}

export function MessageBubble({
  message,
  quoted,
  view,
  state,
  follows,
  newestOwn,
  onReply,
  onEdit,
  onDelete,
}: Props): JSX.Element {
  const mine = message.senderId === state.me;
  const group = view.type === "GROUP";
  const sender = mine ? "You" : nameOf(state, message.senderId);
  const mayDelete = mine || (group && view.admins.includes(state.me));
  return (
    <article
      class={`message ${mine ? "message-mine" : ""}`}
      aria-label={`${sender}, ${timeOf(message.timestamp)}`}
      data-seq={message.seq ?? undefined}
    >
      {group && !mine ? (
        <span class="message-avatar">{follows ? null : <Avatar id={message.senderId} name={sender} small />}</span>
      ) : null}
      <div class="message-column">
        {group && !mine && !follows ? <span class="message-sender">{sender}</span> : null}
        <div class={`bubble ${message.deleted ? "bubble-deleted" : ""}`}>
          {quoted !== undefined && !message.deleted ? <p class="quote">{excerptOf(quoted)}</p> : null}
          {message.deleted ? (
            <p>Message deleted</p>
          ) : (
            <>
              <Media message={message} />
              {message.content ? <p>{linked(message.content)}</p> : null}
            </>
          )}
          <span class="meta">
            {message.editedAt !== null && !message.deleted ? <span>edited</span> : null}
            <time dateTime={message.timestamp}>{timeOf(message.timestamp)}</time>
          </span>
        </div>
        {newestOwn ? <span class="delivery">{deliveryOf(state, view, message)}</span> : null}
      </div>
      {message.deleted ? null : (
        <div class="tools" role="group" aria-label="Message actions">
          <IconButton icon="reply" label="Reply" onClick={() => onReply(message)} />
          {mine && message.content !== null ? (
            <IconButton icon="edit" label="Edit" onClick={() => onEdit(message)} />
          ) : null}
          {mayDelete ? <IconButton icon="trash" label="Delete" onClick={() => onDelete(message)} /> : null}
        </div>
      )}
    </article>
  );
}

export function OutgoingBubble({ outgoing }: { readonly outgoing: Outgoing }): JSX.Element {
  const session = useSession();
  const failed = outgoing.status === "failed";
  return (
    <article
      class={`message message-mine message-${outgoing.status}`}
      aria-label={failed ? "You, not sent" : "You, sending"}
    >
      <div class="message-column">
        <div class="bubble">
          <p>{linked(outgoing.content)}</p>
          <span class="meta">{failed ? "not sent" : "sending…"}</span>
        </div>
        {failed ? (
          <div class="failed" role="alert">
            <span>{outgoing.error}</span>
            <button type="button" class="link" onClick={() => session.retry(outgoing.tempId)}>
              Try again
            </button>
            <button type="button" class="link" onClick={() => session.discard(outgoing.tempId)}>
              Discard
            </button>
          </div>
        ) : null}
      </div>
    </article>
  );
}
