// Written by `python -m tools.generate` from contract; change the models there, not this file.

/**
 * Answer a call, join a group call that was answered, or request the user's own credentials again from the same
 * device. `callerId` must be the user who initiated the call; `callerName` is ignored.
 */
export interface AcceptCall {
  sessionId: string;
  deviceId?: string | null;
  callerId?: string | null;
  callerName?: string | null;
}

/** Add users to a group. */
export interface AddMembers {
  userIds: string[];
}

/** One user's credentials for the meeting, with Chime's field names; only that user receives them. */
export interface Attendee {
  AttendeeId: string;
  ExternalUserId: string;
  JoinToken: string;
}

/** The user whom the recipient blocked or unblocked. */
export interface BlockData {
  userId: string;
}

/** The users whom the caller has blocked. */
export interface BlockPage {
  userIds: string[];
  success: true;
}

/**
 * The call and what the caller's device needs to join: the meeting, and in `attendees`, by user id, only the
 * caller's own credentials.
 */
export interface CallAccepted {
  sessionId: string;
  call: CallView;
  meeting: Record<string, unknown>;
  attendees: Record<string, Attendee>;
  success: true;
}

/** One call as the caller sees it. */
export interface CallAnswer {
  call: CallView;
  success: true;
}

/** The caller cancelled the call before it was answered. */
export interface CallCancelled {
  type: "CALL_CANCELLED";
  eventId: string;
  timestamp: string;
  data: CallCancelledData;
  serverTimestamp: string;
}

/** The caller, who cancelled the call. */
export interface CallCancelledData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  cancelledBy: string;
}

/** The call as it is now. */
export interface CallChanged {
  sessionId: string;
  call: CallView;
  success: true;
}

/** The recipient is in the call. Published to that user only. */
export interface CallConnected {
  type: "CALL_CONNECTED";
  eventId: string;
  timestamp: string;
  data: CallConnectedData;
  serverTimestamp: string;
}

/**
 * The meeting and, in `attendees`, the recipient's own credentials. `deviceId` names the recipient's device that
 * is in the call: another device stops ringing and does not join.
 */
export interface CallConnectedData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  callType: "DIRECT" | "GROUP";
  mediaType: "AUDIO" | "VIDEO";
  conversationId: string | null;
  meeting: Record<string, unknown>;
  attendees: Record<string, Attendee>;
  deviceId: string | null;
}

/** The call, and its version and status after the transition that the event describes. */
export interface CallData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
}

/** A call that was answered is over. */
export interface CallEnded {
  type: "CALL_ENDED";
  eventId: string;
  timestamp: string;
  data: CallEndedData;
  serverTimestamp: string;
}

/** `endedBy` is null where the system ended the call; `duration` is in seconds. */
export interface CallEndedData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  endedBy: string | null;
  reason: "CANCELLED" | "ENDED" | "EXPIRED" | "LEFT" | "MEETING_ENDED" | "MISSED" | "REJECTED";
  duration: number;
}

/** The call could not be connected; its status does not change: it keeps ringing, and may be answered again. */
export interface CallError {
  type: "CALL_ERROR";
  eventId: string;
  timestamp: string;
  data: CallErrorData;
  serverTimestamp: string;
}

/** What went wrong. */
export interface CallErrorData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  error: CallErrorDetail;
}

/** `code` is for programs, `message` for people. */
export interface CallErrorDetail {
  code: "CONFLICT" | "FORBIDDEN" | "INTERNAL" | "INVALID_REQUEST" | "NOT_FOUND" | "TOO_LARGE" | "TOO_MANY_REQUESTS" | "UNAUTHENTICATED" | "UNAVAILABLE";
  message: string;
}

/** The call; `duplicate` is true if the tempId was used before: then it is the first call, as it is now. */
export interface CallInitiated {
  sessionId: string;
  call: CallView;
  duplicate: boolean;
  success: true;
}

/** The call as it is now; `newOwnerId` is its present owner, and null if the call is over. */
export interface CallLeft {
  sessionId: string;
  call: CallView;
  newOwnerId: string | null;
  success: true;
}

/** The call was not answered in time; or, with `status` ACTIVE, the recipient did not answer a group call. */
export interface CallMissed {
  type: "CALL_MISSED";
  eventId: string;
  timestamp: string;
  data: CallData;
  serverTimestamp: string;
}

/** The caller's calls; `nextCursor` is null on the last page. */
export interface CallPage {
  calls: CallView[];
  nextCursor: string | null;
  success: true;
}

/** One participant. `deviceId` is the device that is in the call; only its own user sees it. */
export interface CallParticipant {
  userId: string;
  name: string;
  status: "JOINED" | "LEFT" | "MISSED" | "REJECTED" | "RINGING";
  joinedAt: string | null;
  leftAt: string | null;
  deviceId: string | null;
}

/**
 * A participant declined. Published to the caller (in a group call that was answered, to the owner) and to the
 * other devices of the participant who declined.
 */
export interface CallRejected {
  type: "CALL_REJECTED";
  eventId: string;
  timestamp: string;
  data: CallRejectedData;
  serverTimestamp: string;
}

/** The participant who declined; `status` is REJECTED where that ends the call. */
export interface CallRejectedData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  rejectedBy: string;
}

/** The recipient's own call rings; published after INCOMING_CALL. */
export interface CallRinging {
  type: "CALL_RINGING";
  eventId: string;
  timestamp: string;
  data: CallRingingData;
  serverTimestamp: string;
}

/** `recipientIds` are the users who are called; `recipientId` is the one of a DIRECT call, else null. */
export interface CallRingingData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  recipientId: string | null;
  recipientIds: string[];
  ringsUntil: string;
}

/**
 * A call as one participant sees it, without tokens. `version` grows with each transition: of two views, or of a
 * view and an event, the one with the greater version is newer. `duration` is in seconds, from the first answer to
 * the end. `endedBy` is null where the system ended the call (ring timeout, Chime, the longest duration).
 */
export interface CallView {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  callType: "DIRECT" | "GROUP";
  mediaType: "AUDIO" | "VIDEO";
  initiatedBy: string;
  ownerId: string;
  participants: CallParticipant[];
  createdAt: string;
  ringsUntil: string;
  conversationId: string | null;
  startedAt: string | null;
  endedAt: string | null;
  endedBy: string | null;
  endReason: "CANCELLED" | "ENDED" | "EXPIRED" | "LEFT" | "MEETING_ENDED" | "MISSED" | "REJECTED" | null;
  duration: number | null;
}

/** Cancel the user's own call before it is answered. */
export interface CancelCall {
  sessionId: string;
}

/** The message as it is now, and the number of the change. */
export interface Changed {
  message: Message;
  change: number;
  success: true;
}

/**
 * A conversation as every participant sees it. `version` grows with each change of name, members or roles
 * (of a DM it is always 1); `latestSeq` is the newest message's number and `latestChange` the newest edit's or
 * deletion's.
 */
export interface Conversation {
  conversationId: string;
  type: "DM" | "GROUP";
  participants: string[];
  admins: string[];
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  version: number;
  latestSeq: number;
  latestChange: number;
  name: string | null;
  description: string | null;
  avatar: string | null;
  lastMessageAt: string | null;
  lastMessage: LastMessage | null;
}

/** One conversation as the caller sees it, with its members (the first 100 of a large group). */
export interface ConversationAnswer {
  conversation: ConversationView;
  members: Member[];
  success: true;
}

/** A conversation came to be, or its recipient was added to it. */
export interface ConversationCreated {
  type: "CONVERSATION_CREATED";
  eventId: string;
  timestamp: string;
  data: ConversationData;
  serverTimestamp: string;
}

/** The conversation as it is now; a client keeps the one with the greatest `version`. */
export interface ConversationData {
  conversation: Conversation;
  changedBy: string;
}

/** The caller's conversations; `nextCursor` is null on the last page. */
export interface ConversationPage {
  conversations: ConversationView[];
  nextCursor: string | null;
  success: true;
}

/** The recipient left a conversation or was removed from it. */
export interface ConversationRemoved {
  type: "CONVERSATION_REMOVED";
  eventId: string;
  timestamp: string;
  data: ConversationRemovedData;
  serverTimestamp: string;
}

/** `userId` is no longer in the conversation; `removedBy` is the same id when the user left. */
export interface ConversationRemovedData {
  conversationId: string;
  userId: string;
  removedBy: string;
}

/** Name, description, avatar, members or roles of a conversation changed. */
export interface ConversationUpdated {
  type: "CONVERSATION_UPDATED";
  eventId: string;
  timestamp: string;
  data: ConversationData;
  serverTimestamp: string;
}

/**
 * A conversation as one participant sees it in the list: with the names to show and what is unread.
 *
 * For a DM `name` is the other participant's name. `participantNames` maps user ids to full names (of at most
 * the first 20 participants of a large group).
 */
export interface ConversationView {
  conversationId: string;
  type: "DM" | "GROUP";
  participants: string[];
  admins: string[];
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  version: number;
  latestSeq: number;
  latestChange: number;
  name: string | null;
  description: string | null;
  avatar: string | null;
  lastMessageAt: string | null;
  lastMessage: LastMessage | null;
  unreadCount: number;
  lastReadSeq: number;
  participantNames: Record<string, string>;
}

/** Create a group with the caller as its admin. A repeated `tempId` answers with the first group. */
export interface CreateGroup {
  name: string;
  memberIds: string[];
  description?: string | null;
  avatar?: string | null;
  tempId?: string | null;
  classCode?: string | null;
  semester?: string | null;
  tags?: string[];
  isPublic?: boolean;
  requireApproval?: boolean;
  maxMembers?: number;
}

/** Delete one of the caller's own messages (a group's admin may delete anybody's). Comes as a query string. */
export interface DeleteMessage {
  conversationId: string;
}

/** How far an accepted event has come: `delivered` recipients published to, `pending` ones in the queue. */
export interface Delivery {
  delivered: number;
  pending: number;
}

/** The direct conversation and the other user; `created` says whether it is new. */
export interface DirectAnswer {
  conversation: ConversationView;
  otherUser: PublicUser;
  created: boolean;
  success: true;
}

/** Accepted; there is nothing to say. */
export interface Done {
  success: true;
}

/** Replace the content of one of the caller's own messages. */
export interface EditMessage {
  conversationId: string;
  content: string;
}

/** End a call for all participants. */
export interface EndCall {
  sessionId: string;
}

/** `code` is for programs, `message` for people; `field` names the offending field of the request, if one is. */
export interface ErrorBody {
  code: "CONFLICT" | "FORBIDDEN" | "INTERNAL" | "INVALID_REQUEST" | "NOT_FOUND" | "TOO_LARGE" | "TOO_MANY_REQUESTS" | "UNAUTHENTICATED" | "UNAVAILABLE";
  message: string;
  field: string | null;
}

/**
 * Every answer with a status from 400 on. `call` is there only where a call's state is why: the call as it is
 * now, where the caller takes part in it.
 */
export interface Failure {
  error: ErrorBody;
  success: false;
  call?: CallView;
}

/** The group as it is now. */
export interface GroupAnswer {
  conversation: Conversation;
  success: true;
}

/**
 * A page of history, or the answer to a gap. Comes as a query string.
 *
 * `before` (a message's timestamp) or `cursor` (from the previous page) page backwards. `afterSeq` asks for
 * every message after that number, below `beforeSeq` if given; `afterChange` for every edit and deletion after
 * that number. A gap too wide to fill answers `reload: true`.
 */
export interface History {
  limit?: number;
  before?: string | null;
  cursor?: string | null;
  afterSeq?: number | null;
  beforeSeq?: number | null;
  afterChange?: number | null;
}

/**
 * Messages, newest first for a page and oldest first for a gap.
 *
 * `nextCursor` is null on the last page. `changed` holds messages edited or deleted since `afterChange`.
 * `reload` says that the gap cannot be filled: drop what you have and load the newest page.
 */
export interface HistoryPage {
  conversationId: string;
  messages: Message[];
  latestSeq: number;
  latestChange: number;
  nextCursor: string | null;
  changed: Message[];
  reload: boolean;
  success: true;
}

/** The recipient is called. Not delivered after `ringsUntil`. */
export interface IncomingCall {
  type: "INCOMING_CALL";
  eventId: string;
  timestamp: string;
  data: IncomingCallData;
  serverTimestamp: string;
}

/** `ringsUntil` is the time at which ringing ends: a device that receives the event later does not ring. */
export interface IncomingCallData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  callerId: string;
  callerName: string;
  callType: "DIRECT" | "GROUP";
  mediaType: "AUDIO" | "VIDEO";
  conversationId: string | null;
  participantIds: string[];
  ringsUntil: string;
}

/**
 * Initiate a call: `recipientId` for a DIRECT call, `conversationId` of a group for a GROUP call (to all members,
 * or to those in `participantIds`). `callType` may be left out; AUDIO or VIDEO there means DIRECT with that
 * `mediaType` (AUDIO when absent). A repeated `tempId` returns the first call. `deviceId` is the calling device.
 * `callerName` is ignored: names come from profiles.
 */
export interface InitiateCall {
  recipientId?: string | null;
  conversationId?: string | null;
  participantIds?: string[] | null;
  callType?: "AUDIO" | "DIRECT" | "GROUP" | "VIDEO" | null;
  mediaType?: "AUDIO" | "VIDEO" | null;
  tempId?: string | null;
  deviceId?: string | null;
  initiatedBy?: string | null;
  callerName?: string | null;
}

/** The newest message as a list shows it: `preview` is its beginning, or null where the type says it all. */
export interface LastMessage {
  messageId: string;
  senderId: string;
  type: "AUDIO" | "FILE" | "IMAGE" | "TEXT" | "VIDEO";
  timestamp: string;
  seq: number;
  preview: string | null;
  deleted: boolean;
}

/**
 * Leave a call. `newOwnerId` is the new owner of a group call that its owner leaves; without it, the participant
 * who joined first becomes the owner.
 */
export interface LeaveCall {
  sessionId: string;
  newOwnerId?: string | null;
}

/**
 * A page of the caller's calls, newest first; a query string. `state` selects calls that ring or are answered
 * (`active`) or calls that are over (`history`); such a page may have fewer than `limit` calls although `nextCursor`
 * is not null.
 */
export interface ListCalls {
  state?: "active" | "history" | null;
  limit?: number;
  cursor?: string | null;
}

/** A page of the caller's conversations, newest message first. Comes as a query string. */
export interface ListConversations {
  limit?: number;
  cursor?: string | null;
}

/** Mark everything up to and including `seq` (or the message `messageId`) as read; one of the two. */
export interface MarkRead {
  conversationId: string;
  seq?: number | null;
  messageId?: string | null;
}

/** The caller's own profile. */
export interface MeAnswer {
  user: Profile;
  success: true;
}

/** A participant as the conversation's page shows it; `lastReadSeq` is how far that user has read. */
export interface Member {
  userId: string;
  role: "ADMIN" | "MEMBER";
  joinedAt: string;
  lastReadSeq: number;
}

/**
 * A message. `seq` counts the conversation's messages from 1 without a hole (null on messages of the old
 * application); `timestamp` is the sort key: an ISO date that grows with `seq`. A deleted message keeps its
 * place and loses content and media. `readBy` lists the other participants who have read it (left empty in
 * conversations above the fan-out limit). `fileSize` is in bytes, `duration` in seconds.
 */
export interface Message {
  messageId: string;
  conversationId: string;
  senderId: string;
  timestamp: string;
  type: "AUDIO" | "FILE" | "IMAGE" | "TEXT" | "VIDEO";
  seq: number | null;
  content: string | null;
  mediaUrl: string | null;
  fileName: string | null;
  fileSize: number | null;
  duration: number | null;
  replyTo: string | null;
  readBy: string[];
  reactions: Record<string, string[]>;
  deleted: boolean;
  createdAt: string | null;
  editedAt: string | null;
}

/** A message was deleted: its content is gone, its place in the sequence stays. */
export interface MessageDeleted {
  type: "MESSAGE_DELETED";
  eventId: string;
  timestamp: string;
  data: MessageDeletedData;
  serverTimestamp: string;
}

/** `change` numbers edits and deletions within the conversation. */
export interface MessageDeletedData {
  conversationId: string;
  messageId: string;
  seq: number | null;
  change: number;
  deletedBy: string;
  deletedAt: string;
}

/** A participant has read up to a message. */
export interface MessageRead {
  type: "MESSAGE_READ";
  eventId: string;
  timestamp: string;
  data: MessageReadData;
  serverTimestamp: string;
}

/** `readBy` has read everything up to and including `readSeq`. */
export interface MessageReadData {
  conversationId: string;
  readBy: string;
  readSeq: number;
  readAt: string;
}

/** A message was accepted: `data` is the whole stored message. */
export interface MessageSent {
  type: "MESSAGE_SENT";
  eventId: string;
  timestamp: string;
  data: SentMessage;
  serverTimestamp: string;
}

/** A message was edited by its sender. */
export interface MessageUpdated {
  type: "MESSAGE_UPDATED";
  eventId: string;
  timestamp: string;
  data: MessageUpdatedData;
  serverTimestamp: string;
}

/** `change` numbers edits and deletions within the conversation; `message` is the message as it is now. */
export interface MessageUpdatedData {
  conversationId: string;
  messageId: string;
  change: number;
  updatedBy: string;
  message: Message;
}

/** Find or create the conversation with one other user. */
export interface OpenDirect {
  userId: string;
}

/** A participant joined a group call that was answered before. */
export interface ParticipantJoined {
  type: "PARTICIPANT_JOINED";
  eventId: string;
  timestamp: string;
  data: ParticipantJoinedData;
  serverTimestamp: string;
}

/** The participant who joined. */
export interface ParticipantJoinedData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  userId: string;
}

/** A participant left the call. */
export interface ParticipantLeft {
  type: "PARTICIPANT_LEFT";
  eventId: string;
  timestamp: string;
  data: ParticipantLeftData;
  serverTimestamp: string;
}

/** The participant who left; `newOwnerId` is the new owner, where the owner left and the call continues. */
export interface ParticipantLeftData {
  sessionId: string;
  version: number;
  status: "ACTIVE" | "CANCELLED" | "ENDED" | "MISSED" | "REJECTED" | "RINGING";
  userId: string;
  newOwnerId: string | null;
}

/** A user's own profile. */
export interface Profile {
  userId: string;
  firstName: string;
  lastName: string;
  fullName: string;
  profilePicture: string | null;
  major: string | null;
  year: "Freshman" | "Graduate" | "Junior" | "Senior" | "Sophomore" | null;
  bio: string | null;
  interests: string[];
  portfolioUrl: string | null;
  email: string;
  emailVerified: boolean;
  createdAt: string;
  updatedAt: string;
}

/** What any signed-in user may see of another: never the e-mail address. */
export interface PublicUser {
  userId: string;
  firstName: string;
  lastName: string;
  fullName: string;
  profilePicture: string | null;
  major: string | null;
  year: "Freshman" | "Graduate" | "Junior" | "Senior" | "Sophomore" | null;
  bio: string | null;
  interests: string[];
  portfolioUrl: string | null;
}

/** How far the caller has now read. */
export interface ReadDone {
  conversationId: string;
  lastReadSeq: number;
  unreadCount: number;
  success: true;
}

/** Decline a call that rings. `callerId` must be the user who initiated the call. */
export interface RejectCall {
  sessionId: string;
  callerId?: string | null;
}

/**
 * Find users of whose names every word of `q` begins a word. Comes as a query string.
 *
 * At least one word needs two letters.
 */
export interface SearchUsers {
  q: string;
  limit?: number;
}

/** Send a message. A repeated `tempId` in the same conversation answers with the first result. */
export interface SendMessage {
  conversationId: string;
  content?: string | null;
  type?: "AUDIO" | "FILE" | "IMAGE" | "TEXT" | "VIDEO";
  tempId?: string | null;
  senderId?: string | null;
  mediaUrl?: string | null;
  fileName?: string | null;
  fileSize?: number | null;
  duration?: number | null;
  replyTo?: string | null;
}

/**
 * The stored message and its delivery; `duplicate` says that the tempId was accepted before: then `message` is
 * the first one and `delivery` is all zero, since the first request delivers it.
 */
export interface Sent {
  messageId: string;
  tempId: string | null;
  message: Message;
  delivery: Delivery;
  duplicate: boolean;
  success: true;
}

/** A stored message, with the tempId by which its sender's devices find their optimistic copy. */
export interface SentMessage {
  messageId: string;
  conversationId: string;
  senderId: string;
  timestamp: string;
  type: "AUDIO" | "FILE" | "IMAGE" | "TEXT" | "VIDEO";
  seq: number | null;
  content: string | null;
  mediaUrl: string | null;
  fileName: string | null;
  fileSize: number | null;
  duration: number | null;
  replyTo: string | null;
  readBy: string[];
  reactions: Record<string, string[]>;
  deleted: boolean;
  createdAt: string | null;
  editedAt: string | null;
  tempId: string | null;
}

/** Make a member an admin, or an admin a member. */
export interface SetRole {
  role: "ADMIN" | "MEMBER";
}

/** Tell the other participants that the caller started or stopped typing. */
export interface Typing {
  conversationId: string;
  isTyping: boolean;
}

/** Who is typing where; a client lets the notice expire after three seconds. */
export interface TypingData {
  conversationId: string;
  userId: string;
}

/** Change a group's name, description or avatar; an absent field stays, null clears. */
export interface UpdateGroup {
  name?: string;
  description?: string | null;
  avatar?: string | null;
}

/** Change the caller's profile; an absent field stays, null clears. The e-mail address is Cognito's. */
export interface UpdateProfile {
  firstName?: string;
  lastName?: string;
  profilePicture?: string | null;
  major?: string | null;
  year?: "Freshman" | "Graduate" | "Junior" | "Senior" | "Sophomore" | null;
  bio?: string | null;
  interests?: string[];
  portfolioUrl?: string | null;
}

/** The public part of somebody's profile. */
export interface UserAnswer {
  user: PublicUser;
  isOwnProfile: boolean;
  isBlocked: boolean;
  success: true;
}

/** The recipient blocked somebody, on this or another device. Goes to nobody else. */
export interface UserBlocked {
  type: "USER_BLOCKED";
  eventId: string;
  timestamp: string;
  data: BlockData;
  serverTimestamp: string;
}

/** Users found. */
export interface UserPage {
  users: PublicUser[];
  success: true;
}

/** A participant has stopped typing. Not stored, not redelivered. */
export interface UserStoppedTyping {
  type: "USER_STOPPED_TYPING";
  eventId: string;
  timestamp: string;
  data: TypingData;
  serverTimestamp: string;
}

/** A participant is typing. Not stored, not redelivered. */
export interface UserTyping {
  type: "USER_TYPING";
  eventId: string;
  timestamp: string;
  data: TypingData;
  serverTimestamp: string;
}

/** The recipient unblocked somebody, on this or another device. Goes to nobody else. */
export interface UserUnblocked {
  type: "USER_UNBLOCKED";
  eventId: string;
  timestamp: string;
  data: BlockData;
  serverTimestamp: string;
}

/** A user whom the recipient shares a conversation with (or the recipient) changed the public profile. */
export interface UserUpdated {
  type: "USER_UPDATED";
  eventId: string;
  timestamp: string;
  data: UserUpdatedData;
  serverTimestamp: string;
}

/** The public part of a profile as it is now. */
export interface UserUpdatedData {
  user: PublicUser;
}

/** Everything that arrives on a channel. */
export type ChannelEvent = MessageSent | MessageUpdated | MessageDeleted | MessageRead | UserTyping | UserStoppedTyping | ConversationCreated | ConversationUpdated | ConversationRemoved | UserUpdated | UserBlocked | UserUnblocked | IncomingCall | CallRinging | CallConnected | ParticipantJoined | ParticipantLeft | CallRejected | CallCancelled | CallMissed | CallEnded | CallError;

/** The types of events; a client ignores one that it does not know. */
export type EventType = ChannelEvent["type"];

/** What each channel namespace carries. */
export interface EventsByNamespace {
  chats: MessageSent | MessageUpdated | MessageDeleted | MessageRead | UserTyping | UserStoppedTyping | ConversationCreated | ConversationUpdated | ConversationRemoved;
  users: UserUpdated | UserBlocked | UserUnblocked | IncomingCall | CallRinging | CallConnected | ParticipantJoined | ParticipantLeft | CallRejected | CallCancelled | CallMissed | CallEnded | CallError;
  calls: ParticipantJoined | ParticipantLeft | CallEnded;
  conversations: MessageSent;
}

/** Every route: `query` says that the request goes into the query string and not into the body. */
export const routes = {
  sendMessage: {"method": "POST", "path": "/api/messages/send", "query": false},
  setTyping: {"method": "POST", "path": "/api/messages/typing", "query": false},
  markRead: {"method": "POST", "path": "/api/messages/read", "query": false},
  getHistory: {"method": "GET", "path": "/api/messages/{conversationId}", "query": true},
  editMessage: {"method": "PATCH", "path": "/api/messages/{messageId}", "query": false},
  deleteMessage: {"method": "DELETE", "path": "/api/messages/{messageId}", "query": true},
  listConversations: {"method": "GET", "path": "/api/conversations", "query": true},
  openDirect: {"method": "POST", "path": "/api/conversations/dm", "query": false},
  createGroup: {"method": "POST", "path": "/api/conversations/group", "query": false},
  getConversation: {"method": "GET", "path": "/api/conversations/{conversationId}", "query": true},
  updateGroup: {"method": "PATCH", "path": "/api/conversations/{conversationId}", "query": false},
  addMembers: {"method": "POST", "path": "/api/conversations/{conversationId}/members", "query": false},
  removeMember: {"method": "DELETE", "path": "/api/conversations/{conversationId}/members/{userId}", "query": true},
  setRole: {"method": "PUT", "path": "/api/conversations/{conversationId}/members/{userId}/role", "query": false},
  leaveGroup: {"method": "POST", "path": "/api/conversations/{conversationId}/leave", "query": false},
  getMe: {"method": "GET", "path": "/api/users/me", "query": true},
  updateMe: {"method": "PATCH", "path": "/api/users/me", "query": false},
  listBlocks: {"method": "GET", "path": "/api/users/me/blocks", "query": true},
  searchUsers: {"method": "GET", "path": "/api/users/search", "query": true},
  getUser: {"method": "GET", "path": "/api/users/{userId}", "query": true},
  blockUser: {"method": "POST", "path": "/api/users/{userId}/block", "query": false},
  unblockUser: {"method": "DELETE", "path": "/api/users/{userId}/block", "query": true},
  initiateCall: {"method": "POST", "path": "/api/calls/initiate", "query": false},
  acceptCall: {"method": "POST", "path": "/api/calls/accept", "query": false},
  rejectCall: {"method": "POST", "path": "/api/calls/reject", "query": false},
  cancelCall: {"method": "POST", "path": "/api/calls/cancel", "query": false},
  leaveCall: {"method": "POST", "path": "/api/calls/leave", "query": false},
  endCall: {"method": "POST", "path": "/api/calls/end", "query": false},
  listCalls: {"method": "GET", "path": "/api/calls", "query": true},
  getCall: {"method": "GET", "path": "/api/calls/{sessionId}", "query": true},
} as const;

export type Operation = keyof typeof routes;

/** What each operation takes besides its path parameters, and what it answers. */
export interface Operations {
  sendMessage: { request: SendMessage; response: Sent };
  setTyping: { request: Typing; response: Done };
  markRead: { request: MarkRead; response: ReadDone };
  getHistory: { request: History; response: HistoryPage };
  editMessage: { request: EditMessage; response: Changed };
  deleteMessage: { request: DeleteMessage; response: Changed };
  listConversations: { request: ListConversations; response: ConversationPage };
  openDirect: { request: OpenDirect; response: DirectAnswer };
  createGroup: { request: CreateGroup; response: GroupAnswer };
  getConversation: { request: Record<string, never>; response: ConversationAnswer };
  updateGroup: { request: UpdateGroup; response: GroupAnswer };
  addMembers: { request: AddMembers; response: GroupAnswer };
  removeMember: { request: Record<string, never>; response: GroupAnswer };
  setRole: { request: SetRole; response: GroupAnswer };
  leaveGroup: { request: Record<string, never>; response: Done };
  getMe: { request: Record<string, never>; response: MeAnswer };
  updateMe: { request: UpdateProfile; response: MeAnswer };
  listBlocks: { request: Record<string, never>; response: BlockPage };
  searchUsers: { request: SearchUsers; response: UserPage };
  getUser: { request: Record<string, never>; response: UserAnswer };
  blockUser: { request: Record<string, never>; response: Done };
  unblockUser: { request: Record<string, never>; response: Done };
  initiateCall: { request: InitiateCall; response: CallInitiated };
  acceptCall: { request: AcceptCall; response: CallAccepted };
  rejectCall: { request: RejectCall; response: CallChanged };
  cancelCall: { request: CancelCall; response: CallChanged };
  leaveCall: { request: LeaveCall; response: CallLeft };
  endCall: { request: EndCall; response: CallChanged };
  listCalls: { request: ListCalls; response: CallPage };
  getCall: { request: Record<string, never>; response: CallAnswer };
}

/** Limits of the product; lengths are in characters unless the name says otherwise. */
export const limits = {
  CONTENT_CHARACTERS: 8000,
  PREVIEW_CHARACTERS: 120,
  MEDIA_URL_CHARACTERS: 2048,
  FILE_NAME_CHARACTERS: 255,
  FILE_SIZE_BYTES: 5368709120,
  DURATION_SECONDS: 14400,
  TEMP_ID_CHARACTERS: 64,
  ID_CHARACTERS: 64,
  HISTORY_PAGE: 50,
  HISTORY_PAGE_MAX: 100,
  GAP_MESSAGES_MAX: 200,
  GAP_CHANGES_MAX: 200,
  CHANGE_RETENTION_DAYS: 30,
  CONVERSATIONS_PAGE: 30,
  CONVERSATIONS_PAGE_MAX: 100,
  CONVERSATIONS_PER_USER: 1000,
  GROUP_MEMBERS_MAX: 1000,
  MEMBERS_PER_REQUEST: 90,
  HIDDEN_MESSAGES_EXAMINED: 1000,
  GROUP_NAME_CHARACTERS: 100,
  DESCRIPTION_CHARACTERS: 500,
  TAGS_MAX: 10,
  TAG_CHARACTERS: 40,
  CLASS_CODE_CHARACTERS: 20,
  SEMESTER_CHARACTERS: 20,
  NAME_CHARACTERS: 80,
  BIO_CHARACTERS: 500,
  MAJOR_CHARACTERS: 80,
  INTERESTS_MAX: 20,
  INTEREST_CHARACTERS: 40,
  SEARCH_WORDS_MAX: 20,
  SEARCH_QUERY_CHARACTERS: 80,
  SEARCH_RESULTS: 10,
  SEARCH_RESULTS_MAX: 20,
  SEARCH_PREFIX_CHARACTERS: 2,
  BLOCKS_PER_USER: 1000,
  CALL_PARTICIPANTS_MAX: 40,
  CALLS_PAGE: 20,
  CALLS_PAGE_MAX: 50,
  CALLS_EXAMINED: 1000,
  DEVICE_ID_CHARACTERS: 64,
  GIVEN_NAME_CHARACTERS: 256,
  CALL_HOURS_MAX: 24,
  RING_GRACE_SECONDS: 10,
  CALL_CHECK_SECONDS: 120,
  MEETING_SETTLE_SECONDS: 60,
  MEETING_ANNOUNCED_SECONDS: 10,
  BODY_BYTES: 65536,
  RECORD_RECIPIENTS_MAX: 5000,
  RECORDS_PER_CHANGE_MAX: 10,
  PUBLISH_CONCURRENCY: 25,
  SLICE_RECIPIENTS: 25,
  FAST_PATH_GRACE_SECONDS: 5,
  SWEEP_AFTER_SECONDS: 60,
  DELIVERY_ATTEMPTS_MAX: 10,
  OUTBOX_RETENTION_DAYS: 14,
  IDEMPOTENCY_RETENTION_HOURS: 48,
  TRANSACTION_ITEMS_MAX: 100,
  BATCH_GET_KEYS_MAX: 100,
  QUEUE_BATCH_MAX: 10,
  EVENT_BYTES_MAX: 245760,
  HANDLER_CODE_CHARACTERS: 32768,
  SEGMENT_CHARACTERS: 50,
} as const;

/** How often one user may do something: `count` times in every window of `seconds`. */
export const rateLimits = {
  send: { count: 50, seconds: 10 },
  typing: { count: 20, seconds: 10 },
  search: { count: 20, seconds: 10 },
  call: { count: 10, seconds: 60 },
} as const;
