/** The actions that change the state. */

import type {
  BlockPage,
  Changed,
  ChannelEvent,
  Conversation,
  ConversationAnswer,
  ConversationPage,
  ConversationView,
  HistoryPage,
  Profile,
  PublicUser,
  Sent,
} from "../../contract";
import type { Connection } from "./state";

export type Action =
  | { readonly type: "event"; readonly event: ChannelEvent; readonly at: number }
  | { readonly type: "connection"; readonly connection: Connection }
  /** `since`: the state's clock when the request was sent. `complete`: the pages cover the whole list of that time. */
  | { readonly type: "list"; readonly page: ConversationPage; readonly since: number; readonly complete: boolean }
  | { readonly type: "conversation"; readonly answer: ConversationAnswer; readonly since: number }
  | { readonly type: "direct"; readonly view: ConversationView; readonly other: PublicUser; readonly since: number }
  | { readonly type: "group"; readonly conversation: Conversation }
  | { readonly type: "gone"; readonly conversationId: string }
  | { readonly type: "selected"; readonly conversationId: string | null }
  | { readonly type: "history"; readonly kind: "newest" | "older" | "gap"; readonly page: HistoryPage }
  | {
      readonly type: "sending";
      readonly conversationId: string;
      readonly tempId: string;
      readonly content: string;
      readonly replyTo: string | null;
      readonly createdAt: string;
    }
  | { readonly type: "sent"; readonly tempId: string; readonly answer: Sent }
  | { readonly type: "sendFailed"; readonly tempId: string; readonly error: string; readonly unanswered: boolean }
  | { readonly type: "resending"; readonly tempId: string }
  | { readonly type: "discarded"; readonly tempId: string }
  | { readonly type: "changed"; readonly answer: Changed }
  | { readonly type: "read"; readonly conversationId: string; readonly seq: number }
  | { readonly type: "tick"; readonly now: number }
  | { readonly type: "profile"; readonly profile: Profile }
  | { readonly type: "people"; readonly users: readonly Pick<PublicUser, "userId" | "fullName">[] }
  | { readonly type: "blocks"; readonly page: BlockPage }
  | { readonly type: "blocked"; readonly userId: string; readonly blocked: boolean };
