/** The input field: a new message, a reply, or an edit. */

import type { JSX, TargetedKeyboardEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { nameOf, otherParticipant } from "../client/state/selectors";
import type { State } from "../client/state/state";
import { charactersIn, isBlank } from "../client/state/text";
import { type ConversationView, type Message, limits } from "../contract";
import { useAction, useSession } from "./hooks";
import { excerptOf } from "./message";
import { Icon, IconButton } from "./parts";

export type Draft =
  | { readonly kind: "new" }
  | { readonly kind: "reply"; readonly message: Message }
  | { readonly kind: "edit"; readonly message: Message };

interface Props {
  readonly view: ConversationView;
  readonly state: State;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
}

const WARN_BELOW = 200;

export function Composer({ view, state, draft, onDraft }: Props): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const id = view.conversationId;
  const other = otherParticipant(state, view);

  useEffect(() => {
    if (draft.kind === "edit") {
      setText(draft.message.content ?? "");
    }
    // On a phone, focusing the field would open the keyboard before the user asks for it.
    if (draft.kind !== "new" || window.matchMedia("(pointer: fine)").matches) {
      field.current?.focus();
    }
  }, [draft]);

  useEffect(() => () => session.stoppedTyping(), [session]);

  useLayoutEffect(() => {
    const element = field.current;
    if (element) {
      element.style.height = "auto";
      element.style.height = `${element.scrollHeight}px`;
    }
  }, [text]);

  if (other !== null && state.blocked.includes(other)) {
    return (
      <div class="composer composer-blocked">
        <p>You blocked {nameOf(state, other)}.</p>
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void run(() => session.block(other, false))}
        >
          Unblock
        </button>
      </div>
    );
  }

  const left = limits.CONTENT_CHARACTERS - charactersIn(text);
  const sendable = !isBlank(text) && left >= 0 && !busy;

  const cancel = (): void => {
    if (draft.kind === "edit") {
      setText("");
    }
    onDraft({ kind: "new" });
  };

  const submit = async (): Promise<void> => {
    if (!sendable) {
      return;
    }
    if (draft.kind === "edit") {
      const { messageId, content } = draft.message;
      if (text === content || (await run(() => session.edit(id, messageId, text)))) {
        cancel();
      }
      return;
    }
    session.send(id, text, draft.kind === "reply" ? draft.message.messageId : null);
    setText("");
    onDraft({ kind: "new" });
  };

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void submit();
    } else if (event.key === "Escape" && draft.kind !== "new") {
      event.preventDefault();
      cancel();
    } else if (event.key === "ArrowUp" && text === "" && draft.kind === "new") {
      const own = state.threads[id]?.messages.findLast(
        (message) => message.senderId === state.me && !message.deleted && message.content !== null
      );
      if (own) {
        event.preventDefault();
        onDraft({ kind: "edit", message: own });
      }
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {draft.kind !== "new" ? (
        <div class="composer-about">
          <Icon name={draft.kind === "edit" ? "edit" : "reply"} />
          <p>
            <strong>
              {draft.kind === "edit"
                ? "Edit message"
                : `Reply to ${
                    draft.message.senderId === state.me ? "yourself" : nameOf(state, draft.message.senderId)
                  }`}
            </strong>
            <span>{excerptOf(draft.message)}</span>
          </p>
          <IconButton icon="close" label="Cancel" onClick={cancel} />
        </div>
      ) : null}
      <div class="composer-row">
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder="Write a message"
          aria-label="Message"
          enterkeyhint="send"
          onInput={(event) => {
            setText(event.currentTarget.value);
            if (draft.kind !== "edit" && event.currentTarget.value !== "") {
              session.typed(id);
            }
          }}
          onKeyDown={onKeyDown}
          onBlur={() => session.stoppedTyping()}
        />
        <button type="submit" class="send" aria-label={draft.kind === "edit" ? "Save" : "Send"} disabled={!sendable}>
          <Icon name={draft.kind === "edit" ? "check" : "send"} />
        </button>
      </div>
      {left < WARN_BELOW ? (
        <small class={left < 0 ? "error" : "hint"} role="status">
          {left < 0 ? `${-left} characters too many` : `${left} characters left`}
        </small>
      ) : null}
    </form>
  );
}
