/** The details of the open conversation: the other user, or the group and its members. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { nameOf, otherParticipant, titleOf } from "../client/state/selectors";
import type { State } from "../client/state/state";
import { isBlank } from "../client/state/text";
import { type ConversationView, type PublicUser, limits } from "../contract";
import { useAction, useSession } from "./hooks";
import { Avatar, Confirm, Dialog, Field, IconButton } from "./parts";
import { PeopleSearch } from "./people";

interface Props {
  readonly view: ConversationView;
  readonly state: State;
  readonly onClose: () => void;
}

export function Details({ view, state, onClose }: Props): JSX.Element {
  const other = otherParticipant(state, view);
  return (
    <aside class="details" aria-label="Details">
      <header class="details-head">
        <h2>Details</h2>
        <IconButton icon="close" label="Close details" onClick={onClose} />
      </header>
      <div class="details-body">
        <div class="details-face">
          <Avatar id={other ?? view.conversationId} name={titleOf(state, view)} group={view.type === "GROUP"} />
          <h3>{titleOf(state, view)}</h3>
          {view.description ? <p>{view.description}</p> : null}
        </div>
        {view.type === "GROUP" ? (
          <Group view={view} state={state} />
        ) : other !== null ? (
          <Person userId={other} state={state} />
        ) : null}
      </div>
    </aside>
  );
}

function Person({ userId, state }: { readonly userId: string; readonly state: State }): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [user, setUser] = useState<PublicUser | null>(null);
  const [asking, setAsking] = useState(false);
  const blocked = state.blocked.includes(userId);
  useEffect(() => {
    let current = true;
    void run(async () => {
      const found = await session.profileOf(userId);
      if (current) {
        setUser(found);
      }
    });
    return () => {
      current = false;
    };
  }, [userId, session, run]);
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ["Major", user?.major],
    ["Year", user?.year],
    ["About", user?.bio],
    ["Interests", user?.interests.join(", ")],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(([label, value]) =>
          value ? (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ) : null
        )}
      </dl>
      {blocked ? (
        <p class="hint">You do not receive messages that {nameOf(state, userId)} sends while blocked.</p>
      ) : null}
      <button
        type="button"
        class={`button button-wide ${blocked ? "" : "button-danger-quiet"}`}
        disabled={busy}
        onClick={() => (blocked ? void run(() => session.block(userId, false)) : setAsking(true))}
      >
        {blocked ? "Unblock" : "Block"} {nameOf(state, userId)}
      </button>
      {asking ? (
        <Confirm
          title={`Block ${nameOf(state, userId)}?`}
          text="You no longer receive direct messages and calls. The other user is not notified."
          action="Block"
          onClose={() => setAsking(false)}
          onConfirm={() => void run(() => session.block(userId, true))}
        />
      ) : null}
    </>
  );
}

type GroupDialog =
  | { readonly name: "add" }
  | { readonly name: "rename" }
  | { readonly name: "leave" }
  | { readonly name: "remove"; readonly userId: string };

function Group({ view, state }: { readonly view: ConversationView; readonly state: State }): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [dialog, setDialog] = useState<GroupDialog | null>(null);
  const id = view.conversationId;
  const admin = view.admins.includes(state.me);
  const close = (): void => setDialog(null);
  const members = [...view.participants].sort(
    (a, b) =>
      Number(b === state.me) - Number(a === state.me) ||
      Number(view.admins.includes(b)) - Number(view.admins.includes(a)) ||
      nameOf(state, a).localeCompare(nameOf(state, b))
  );
  return (
    <>
      {admin ? (
        <div class="columns">
          <button type="button" class="button" onClick={() => setDialog({ name: "add" })}>
            Add people
          </button>
          <button type="button" class="button" onClick={() => setDialog({ name: "rename" })}>
            Rename
          </button>
        </div>
      ) : null}
      <h3 id="members-title" class="details-section">
        {view.participants.length} members
      </h3>
      <ul class="people" aria-labelledby="members-title">
        {members.map((userId) => (
          <MemberRow
            key={userId}
            name={nameOf(state, userId)}
            userId={userId}
            isMe={userId === state.me}
            isAdmin={view.admins.includes(userId)}
          >
            {admin && userId !== state.me ? (
              <>
                <button
                  type="button"
                  class="link"
                  disabled={busy}
                  aria-label={`${view.admins.includes(userId) ? "Make a member" : "Make an admin"}: ${nameOf(
                    state,
                    userId
                  )}`}
                  onClick={() =>
                    void run(() => session.setRole(id, userId, view.admins.includes(userId) ? "MEMBER" : "ADMIN"))
                  }
                >
                  {view.admins.includes(userId) ? "Make member" : "Make admin"}
                </button>
                <button
                  type="button"
                  class="link link-danger"
                  disabled={busy}
                  aria-label={`Remove ${nameOf(state, userId)}`}
                  onClick={() => setDialog({ name: "remove", userId })}
                >
                  Remove
                </button>
              </>
            ) : null}
          </MemberRow>
        ))}
      </ul>
      <button type="button" class="button button-wide button-danger-quiet" onClick={() => setDialog({ name: "leave" })}>
        Leave group
      </button>
      {dialog?.name === "add" ? (
        <Dialog title="Add people" onClose={close}>
          <PeopleSearch
            autoFocus
            action="Add"
            exclude={view.participants}
            busy={busy}
            onChoose={(user) => void run(() => session.addMembers(id, [user.userId]))}
          />
        </Dialog>
      ) : null}
      {dialog?.name === "rename" ? <Rename view={view} onClose={close} /> : null}
      {dialog?.name === "leave" ? (
        <Confirm
          title="Leave group?"
          text="You no longer see its messages. An admin can add you again."
          action="Leave"
          onClose={close}
          onConfirm={() => void run(() => session.leave(id))}
        />
      ) : null}
      {dialog?.name === "remove" ? (
        <Confirm
          title={`Remove ${nameOf(state, dialog.userId)}?`}
          text="The group and its messages disappear from that user's list."
          action="Remove"
          onClose={close}
          onConfirm={() => void run(() => session.removeMember(id, dialog.userId))}
        />
      ) : null}
    </>
  );
}

function MemberRow({
  userId,
  name,
  isMe,
  isAdmin,
  children,
}: {
  readonly userId: string;
  readonly isMe: boolean;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <li class="member">
      <Avatar id={userId} name={name} small />
      <span class="person-text">
        <span>{isMe ? `${name} (you)` : name}</span>
        {isAdmin ? <small>Admin</small> : null}
      </span>
      <span class="member-tools">{children}</span>
    </li>
  );
}

function Rename({ view, onClose }: { readonly view: ConversationView; readonly onClose: () => void }): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [name, setName] = useState(view.name ?? "");
  const save = async (): Promise<void> => {
    if (await run(() => session.renameGroup(view.conversationId, name.trim()))) {
      onClose();
    }
  };
  return (
    <Dialog title="Rename group" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field
          label="Group name"
          value={name}
          onInput={setName}
          required
          maxCharacters={limits.GROUP_NAME_CHARACTERS}
          autoFocus
          autoComplete="off"
        />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" disabled={busy || isBlank(name)}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
