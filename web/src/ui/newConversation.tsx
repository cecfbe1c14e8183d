/** The dialogs that start a direct chat or a group. */

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { isBlank } from "../client/state/text";
import { type PublicUser, limits } from "../contract";
import { useAction, useSession } from "./hooks";
import { Dialog, Field, Icon } from "./parts";
import { PeopleSearch } from "./people";

interface Props {
  readonly onClose: () => void;
  readonly onOpen: (conversationId: string) => void;
}

export function NewDirect({ onClose, onOpen }: Props): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const choose = (user: PublicUser): Promise<boolean> =>
    run(async () => {
      const conversationId = await session.findDirect(user.userId);
      onClose();
      onOpen(conversationId);
    });
  return (
    <Dialog title="New chat" onClose={onClose}>
      <PeopleSearch
        autoFocus
        action="Chat with"
        exclude={[session.me]}
        busy={busy}
        onChoose={(user) => void choose(user)}
      />
    </Dialog>
  );
}

export function NewGroup({ onClose, onOpen }: Props): JSX.Element {
  const session = useSession();
  const { busy, run } = useAction();
  const [name, setName] = useState("");
  const [members, setMembers] = useState<readonly PublicUser[]>([]);
  // One id for this dialog: a second click after a lost response finds the group instead of creating another.
  const tempId = useRef(crypto.randomUUID());
  const create = (): Promise<boolean> =>
    run(async () => {
      const ids = members.map((user) => user.userId);
      const conversationId = await session.createGroup(name.trim(), ids, tempId.current);
      onClose();
      onOpen(conversationId);
    });
  return (
    <Dialog title="New group" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field
          label="Group name"
          value={name}
          onInput={setName}
          autoFocus
          required
          maxCharacters={limits.GROUP_NAME_CHARACTERS}
          autoComplete="off"
        />
        {members.length > 0 ? (
          <ul class="chips" aria-label="Members">
            {members.map((user) => (
              <li key={user.userId}>
                <button
                  type="button"
                  class="chip"
                  aria-label={`Leave out ${user.fullName}`}
                  onClick={() => setMembers(members.filter(({ userId }) => userId !== user.userId))}
                >
                  {user.fullName}
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        ) : null}
        <PeopleSearch
          action="Add"
          exclude={[session.me, ...members.map(({ userId }) => userId)]}
          onChoose={(user) => setMembers([...members, user])}
        />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class="button button-primary"
            disabled={busy || members.length === 0 || isBlank(name) || members.length > limits.MEMBERS_PER_REQUEST}
          >
            Create group
          </button>
        </div>
      </form>
    </Dialog>
  );
}
