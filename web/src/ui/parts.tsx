/** Small components: icons, buttons, avatars, dialogs, fields. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { cut } from "../client/state/text";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4.050A2.5 2.5 0 0 1 4 13.5z",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2.1.8 3.5 2.8 3.5 5.5",
  info: "M12 11v5M12 7.8v.2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  send: "M4 12l16-7-5.5 15-3-6z M11.5 14L20 5",
  edit: "M4 20l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19z",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 13h8.4L17 7M10 11v5.5M14 11v5.5",
  reply: "M9 7l-5 5 5 5M4 12h9a7 7 0 0 1 7 7",
  out: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h10",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  retry: "M19 8V4M19 8h-4M19 8a8 8 0 1 0 1 6",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM6 6l12 12",
  check: "M5 12.5l4.5 4.5L19 7.5",
  down: "M6 10l6 6 6-6",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly expanded?: boolean;
  readonly class?: string;
}

export function IconButton({ icon, label, onClick, disabled, expanded, class: extra }: IconButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={`icon-button ${extra ?? ""}`}
      aria-label={label}
      title={label}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Initials on a colour computed from the id; hidden from screen readers, since the name is shown beside it. */
export function Avatar({
  id,
  name,
  group,
  small,
}: {
  readonly id: string;
  readonly name: string;
  readonly group?: boolean;
  readonly small?: boolean;
}): JSX.Element {
  const hue = [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 360, 7);
  const words = name.trim().split(/\s+/);
  const initials = [words[0], words.length > 1 ? words[words.length - 1] : ""].map(
    (word) => [...(word ?? "")][0] ?? ""
  );
  return (
    <span class={`avatar ${small ? "avatar-small" : ""}`} style={{ "--hue": hue }} aria-hidden="true">
      {group ? <Icon name="people" /> : initials.join("").toUpperCase()}
    </span>
  );
}

export function Spinner({ label }: { readonly label: string }): JSX.Element {
  return (
    <span class="spinner" role="status">
      <span class="visually-hidden">{label}</span>
    </span>
  );
}

/** A modal dialog: the browser keeps the focus inside, closes it on Escape, and restores the focus. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  // Runs before the effects of the children: a field can take the focus only in an open dialog.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) {
          onClose();
        }
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Ask before an action that cannot be undone. */
export function Confirm({
  title,
  text,
  action,
  onConfirm,
  onClose,
}: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}): JSX.Element {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="button button-danger"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "search";
  readonly autoComplete?: string;
  readonly required?: boolean;
  readonly hint?: string;
  /** Most code points; the browser's own `maxlength` would count an emoji twice and cut it in half. */
  readonly maxCharacters?: number;
  readonly autoFocus?: boolean;
  readonly inputMode?: "numeric" | "email" | "search";
}

export function Field(props: FieldProps): JSX.Element {
  const { label, value, onInput, hint, autoFocus, maxCharacters, type = "text", inputMode = "text", ...rest } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (autoFocus) {
      input.current?.focus();
    }
  }, [autoFocus]);
  return (
    <label class="field">
      <span>{label}</span>
      <input
        ref={input}
        value={value}
        onInput={(event) => {
          const { value: typed } = event.currentTarget;
          const kept = maxCharacters === undefined ? typed : cut(typed, maxCharacters);
          if (kept !== typed) {
            event.currentTarget.value = kept;
          }
          onInput(kept);
        }}
        // Preact's typings distinguish every input type; the attributes used here are the same for all of them.
        type={type as "text"}
        inputMode={inputMode}
        {...rest}
      />
      {hint ? <small>{hint}</small> : null}
    </label>
  );
}
