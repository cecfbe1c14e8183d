// Namespace "conversations" (opt-in): one channel per group, /conversations/{conversationId}/{channelEpoch}. Members
// publish messages directly to AppSync; the handler stores them, and broadcasts only stored messages.
//
// subscribe  members of the group, looked up in ConversationMembers; exactly three segments
// publish    members of the group; the sender is always the token's sub
//
// AppSync checks a subscription once, and it lasts as long as its connection. Therefore a group gets a new channel, with
// a random last segment, in the transaction that removes a member: who subscribed before gets nothing that is published
// after it. A member who still uses the old channel gets CHANNEL_CHANGED, and reads the present one from the
// conversation, or from the event CONVERSATION_UPDATED.
//
// A batch is stored in one transaction or not at all: membership, the group's sequence number, every message, its
// tempId and the sender's rate are checked and written together. Each event is {type: 'MESSAGE_SENT', data: {tempId,
// seq, type, content, ...}}; null counts as an absent field. seq claims the conversation's next sequence number, which
// keeps the numbers gap-free. A sender whose claim is too late gets CONFLICT, reads the history, and sends again with
// the same tempId.
//
// Groups only: in a direct conversation a block must be invisible to the blocked user, which a shared channel cannot
// ensure.

import { util } from '@aws-appsync/utils';
import { batchGet, transactWrite } from '@aws-appsync/utils/dynamodb';

// <generated: event types>
const EVENT_TYPES = [
  'MESSAGE_SENT',
];
// </generated>

// <generated: limits>
const LIMITS = {
  CONTENT_CHARACTERS: 8000,
  MEDIA_URL_CHARACTERS: 2048,
  FILE_NAME_CHARACTERS: 255,
  FILE_SIZE_BYTES: 5368709120,
  DURATION_SECONDS: 14400,
  DURATION_SECONDS_MIN: 0.001,
  SEQUENCE_NUMBER_MAX: 9007199254740991,
  TEMP_ID_CHARACTERS: 64,
  ID_CHARACTERS: 64,
  IDEMPOTENCY_RETENTION_HOURS: 48,
};
// </generated>

// <generated: blank characters>
const BLANK_CHARACTERS = '\t\n\u000b\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';
// </generated>

// <generated: send rate>
const SEND_RATE = { action: 'send', count: 50, seconds: 10 };
// </generated>

const TABLES = {
  counters: '__CONVERSATION_COUNTERS_TABLE__',
  members: '__CONVERSATION_MEMBERS_TABLE__',
  messages: '__MESSAGES_TABLE__',
  idempotency: '__IDEMPOTENCY_TABLE__',
  rateLimits: '__RATE_LIMITS_TABLE__',
  users: '__USERS_TABLE__',
};

const CHANNEL_CHANGED = 'The channel of this conversation has changed: read the conversation and use its channel';

// The required and optional fields of each message type, besides the common ones.
// <generated: message types>
const MESSAGE_TYPES = {
  TEXT: { required: ['content'], optional: [] },
  AUDIO: { required: ['mediaUrl', 'duration'], optional: ['fileName', 'fileSize', 'content'] },
  IMAGE: { required: ['mediaUrl'], optional: ['fileName', 'fileSize', 'content'] },
  VIDEO: { required: ['mediaUrl'], optional: ['fileName', 'fileSize', 'duration', 'content'] },
  FILE: { required: ['mediaUrl', 'fileName', 'fileSize'], optional: ['content'] },
};
// </generated>
const COMMON = ['tempId', 'seq', 'type', 'senderId', 'replyTo'];
const STORED = ['content', 'mediaUrl', 'fileName', 'fileSize', 'duration', 'replyTo', 'tempId'];

// Patterns are anchored at both ends, with \z because $ would accept a final line break.
const ID = '^[A-Za-z0-9_-]+\\z';
const TEMP_ID = '^[A-Za-z0-9._:-]+\\z';
const MEDIA_URL =
  '^https://[^\\u0000-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+\\z';

export const onSubscribe = {
  request(ctx) {
    const userId = signedIn(ctx);
    const { conversationId } = addressed(ctx);
    return batchGet({
      tables: {
        [TABLES.members]: { keys: [{ userId, conversationId }], consistentRead: true },
        [TABLES.counters]: { keys: [{ conversationId }], consistentRead: true },
        [TABLES.users]: { keys: [{ userId }], consistentRead: true },
      },
    });
  },
  response(ctx) {
    if (ctx.error || hasUnprocessedKeys(ctx.result)) {
      util.error('The membership could not be looked up; try again', 'UNAVAILABLE');
    }
    const member = found(ctx, TABLES.members);
    if (!member || member.type !== 'GROUP' || member.hidden || found(ctx, TABLES.users)?.disabledAt) {
      util.unauthorized();
    }
    if (found(ctx, TABLES.counters)?.channelEpoch !== addressed(ctx).channelEpoch) {
      util.error(CHANNEL_CHANGED, 'CHANNEL_CHANGED');
    }
  },
};

export const onPublish = {
  request(ctx) {
    const senderId = signedIn(ctx);
    const { conversationId, channelEpoch } = addressed(ctx);
    const problem = batchProblem(ctx.events, senderId);
    if (problem) {
      util.error(problem, 'INVALID_REQUEST');
    }
    const now = util.time.nowEpochMilliSeconds();
    const messages = ctx.events.map((event, index) =>
      stored(event.payload.data, senderId, conversationId, iso(now + index)),
    );
    ctx.stash.messages = messages;
    const transaction = transactWrite({
      items: [
        memberWrite(senderId, conversationId, messages),
        counterWrite(conversationId, channelEpoch, messages, now),
        ...messages.map(messageWrite),
        ...messages.map((message) => idempotencyWrite(message, now)),
        accountCheck(senderId),
      ],
    });
    return {
      ...transaction,
      transactItems: [...transaction.transactItems, rateWrite(senderId, messages.length, now)],
    };
  },
  response(ctx) {
    if (ctx.error) {
      refuse(ctx);
    }
    const serverTimestamp = util.time.nowISO8601();
    return ctx.events.map((event, index) => {
      const message = ctx.stash.messages[index];
      return {
        id: event.id,
        payload: {
          eventId: util.autoId(),
          type: 'MESSAGE_SENT',
          data: message,
          timestamp: message.timestamp,
          serverTimestamp,
        },
      };
    });
  },
};

// Only Cognito users have a sub; every other caller is refused.
function signedIn(ctx) {
  if (!ctx.identity?.sub) {
    util.unauthorized();
  }
  return ctx.identity.sub;
}

function addressed(ctx) {
  const segments = ctx.info.channel.segments;
  if (segments.length !== 3 || segments[1] === '*' || segments[2] === '*') {
    util.unauthorized();
  }
  return { conversationId: segments[1], channelEpoch: segments[2] };
}

// The item of one table that onSubscribe read.
function found(ctx, table) {
  return ctx.result.data[table][0];
}

function hasUnprocessedKeys(result) {
  return Object.values(result?.unprocessedKeys ?? {}).some((keys) => keys?.length > 0);
}

// The first problem of the batch, or '' if it can be stored.
function batchProblem(events, senderId) {
  const problems = events.map((event, index) => {
    const problem = eventProblem(event.payload, senderId);
    return problem ? `Event ${index}: ${problem}` : '';
  });
  const first = problems.find((problem) => problem !== '');
  if (first) {
    return first;
  }
  const base = events[0].payload.data.seq;
  const tempIds = events.map((event) => event.payload.data.tempId);
  const gap = events.findIndex((event, index) => event.payload.data.seq !== base + index);
  if (gap !== -1) {
    return `Event ${gap}: seq must follow the one before it in the batch`;
  }
  const repeated = tempIds.findIndex((tempId, index) => tempIds.indexOf(tempId) !== index);
  return repeated === -1 ? '' : `Event ${repeated}: tempId occurs twice in the batch`;
}

function eventProblem(payload, senderId) {
  if (!isObject(payload) || !EVENT_TYPES.includes(payload.type)) {
    return `the type must be ${EVENT_TYPES.join(' or ')}`;
  }
  const data = payload.data;
  if (!isObject(data)) {
    return 'data must be an object';
  }
  const type = Object.hasOwn(data, 'type') ? data.type : 'TEXT';
  if (typeof type !== 'string' || !Object.hasOwn(MESSAGE_TYPES, type)) {
    return `data.type must be one of ${Object.keys(MESSAGE_TYPES).join(', ')}`;
  }
  const rules = MESSAGE_TYPES[type];
  const given = Object.keys(data).filter((name) => data[name] !== null);
  const foreign = given.find((name) => !COMMON.concat(rules.required, rules.optional).includes(name));
  if (foreign) {
    return `data.${foreign} is unknown or does not belong to a message of type ${type}`;
  }
  const missing = ['tempId', 'seq', ...rules.required].find((name) => !given.includes(name));
  if (missing) {
    return `data.${missing} is missing`;
  }
  const wrong = given.find((name) => !fieldIsValid(name, data[name]));
  if (wrong) {
    return `data.${wrong} is not valid`;
  }
  if (type === 'TEXT' && isBlank(data.content)) {
    return 'data.content is blank';
  }
  if (given.includes('senderId') && data.senderId !== senderId) {
    return 'data.senderId is not the signed-in user';
  }
  return '';
}

function fieldIsValid(name, value) {
  switch (name) {
    case 'tempId':
      return isText(value, LIMITS.TEMP_ID_CHARACTERS) && util.matches(TEMP_ID, value);
    case 'replyTo':
    case 'senderId':
      return isText(value, LIMITS.ID_CHARACTERS) && util.matches(ID, value);
    case 'content':
      return typeof value === 'string' && isWithin(value, LIMITS.CONTENT_CHARACTERS);
    case 'mediaUrl':
      return isText(value, LIMITS.MEDIA_URL_CHARACTERS) && util.matches(MEDIA_URL, value);
    case 'fileName':
      return isText(value, LIMITS.FILE_NAME_CHARACTERS);
    case 'fileSize':
      return isWhole(value) && value <= LIMITS.FILE_SIZE_BYTES;
    case 'duration':
      return typeof value === 'number' && value >= LIMITS.DURATION_SECONDS_MIN && value <= LIMITS.DURATION_SECONDS;
    case 'seq':
      return isWhole(value) && value <= LIMITS.SEQUENCE_NUMBER_MAX;
    default:
      return name === 'type';
  }
}

// Arrays have no property "type" or "tempId", so they fail the checks that follow.
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

function isText(value, most) {
  return typeof value === 'string' && value.length >= 1 && isWithin(value, most);
}

// Whether a text has at most so many code points. Only a text that may have more is split: into UTF-16 units, of which
// a code point above U+FFFF has two, a high and a low surrogate.
function isWithin(value, most) {
  if (value.length <= most || value.length > 2 * most) {
    return value.length <= most;
  }
  const units = value.split('');
  const withoutLow = units.filter((unit) => unit < '\uDC00' || unit > '\uDFFF');
  const withoutHigh = units.filter((unit) => unit < '\uD800' || unit > '\uDBFF');
  return Math.max(withoutLow.length, withoutHigh.length) <= most;
}

function isBlank(value) {
  return value.split('').every((unit) => BLANK_CHARACTERS.includes(unit));
}

function isWhole(value) {
  return typeof value === 'number' && Number.isFinite(value) && value >= 1 && Math.floor(value) === value;
}

// With a pattern, which always gives three digits of milliseconds: timestamps are sort keys.
function iso(milliseconds) {
  return util.time.epochMilliSecondsToFormatted(milliseconds, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
}

// The item of a message, equal to that of the send route.
function stored(data, senderId, conversationId, timestamp) {
  const message = {
    conversationId,
    timestamp,
    messageId: util.autoId(),
    senderId,
    type: data.type ?? 'TEXT',
    seq: data.seq,
    readBy: [],
    reactions: {},
    deleted: false,
    createdAt: timestamp,
  };
  STORED.forEach((name) => {
    if ((data[name] ?? null) !== null) {
      message[name] = data[name];
    }
  });
  return message;
}

function memberWrite(userId, conversationId, messages) {
  return {
    updateItem: {
      table: TABLES.members,
      key: { userId, conversationId },
      update: { lastReadSeq: messages[messages.length - 1].seq },
      condition: { type: { eq: 'GROUP' }, hidden: { attributeExists: false } },
    },
  };
}

// Moves the group's counter on by the whole batch, if the channel is still the group's. No reservation of the send route is left out: a number that is
// reserved is above latestSeq, so the claim fails.
function counterWrite(conversationId, channelEpoch, messages, now) {
  const last = messages[messages.length - 1];
  return {
    updateItem: {
      table: TABLES.counters,
      key: { conversationId },
      update: { latestSeq: last.seq, lastTimestampMs: now + messages.length - 1, lastMessageAt: last.timestamp },
      condition: {
        latestSeq: { eq: messages[0].seq - 1 },
        lastTimestampMs: { lt: now },
        channelEpoch: { eq: channelEpoch },
      },
    },
  };
}

function messageWrite(message) {
  const { conversationId, timestamp, ...item } = message;
  return {
    putItem: {
      table: TABLES.messages,
      key: { conversationId, timestamp },
      item,
      condition: { conversationId: { attributeExists: false } },
    },
  };
}

function idempotencyWrite(message, now) {
  return {
    putItem: {
      table: TABLES.idempotency,
      key: { id: `${message.senderId}#${message.conversationId}#${message.tempId}` },
      item: {
        conversationId: message.conversationId,
        timestamp: message.timestamp,
        expiresAt: Math.floor(now / 1000) + LIMITS.IDEMPOTENCY_RETENTION_HOURS * 3600,
      },
      condition: { id: { attributeExists: false } },
    },
  };
}

// Accounts that the operator has disabled publish nothing.
function accountCheck(userId) {
  return {
    conditionCheck: {
      table: TABLES.users,
      key: { userId },
      condition: { disabledAt: { attributeExists: false } },
    },
  };
}

// Counts the batch against the sender's rate limit, which the send route shares. Written without the helper for
// updates, which cannot add to an attribute that does not exist yet.
function rateWrite(senderId, sent, now) {
  const window = Math.floor(now / 1000 / SEND_RATE.seconds) * SEND_RATE.seconds;
  return {
    table: TABLES.rateLimits,
    operation: 'UpdateItem',
    key: util.dynamodb.toMapValues({ id: `${senderId}#${SEND_RATE.action}#${window}` }),
    update: {
      expression: 'SET expiresAt = :expires ADD #count :sent',
      expressionNames: { '#count': 'count' },
      expressionValues: util.dynamodb.toMapValues({ ':expires': window + 2 * SEND_RATE.seconds, ':sent': sent }),
    },
    condition: {
      expression: 'attribute_not_exists(#count) OR #count <= :most',
      expressionNames: { '#count': 'count' },
      expressionValues: util.dynamodb.toMapValues({ ':most': SEND_RATE.count - sent }),
    },
  };
}

// Says which check failed. The transaction's items stand in the order: member, counter, messages, tempIds, account, rate.
function refuse(ctx) {
  const reasons = cancellations(ctx);
  const count = ctx.stash.messages.length;
  const failed = reasons.map((reason) => reason.type === 'ConditionalCheckFailed');
  if (failed[0]) {
    util.error('You are not a member of this group', 'FORBIDDEN');
  }
  if (failed[2 + 2 * count]) {
    util.error('This account is disabled', 'FORBIDDEN');
  }
  const counter = failed[1] ? reasons[1].item : null;
  if (counter && counter.channelEpoch !== addressed(ctx).channelEpoch) {
    util.error(CHANNEL_CHANGED, 'CHANNEL_CHANGED');
  }
  const duplicate = failed.slice(2 + count, 2 + 2 * count).indexOf(true);
  if (duplicate !== -1) {
    util.error(`Event ${duplicate}: this tempId is already stored`, 'CONFLICT');
  }
  if (failed[3 + 2 * count]) {
    util.error(`Too many messages: at most ${SEND_RATE.count} in ${SEND_RATE.seconds} seconds`, 'TOO_MANY_REQUESTS');
  }
  if (failed.includes(true) || reasons.some((reason) => reason.type === 'TransactionConflict')) {
    util.error('The conversation has moved on: read the history and send again with the next seq', 'CONFLICT');
  }
  console.error('The transaction failed', ctx.error);
  util.error('The messages could not be stored; try again with the same tempId', 'UNAVAILABLE');
}

// One reason per item of a cancelled transaction: from the result, or else, without items, from the list in brackets in
// the message.
function cancellations(ctx) {
  if (ctx.error.type !== 'DynamoDB:TransactionCanceledException') {
    return [];
  }
  const listed = ctx.result?.cancellationReasons;
  if (listed) {
    return listed;
  }
  const text = ctx.error.message;
  const types = text.slice(text.indexOf('[') + 1, text.lastIndexOf(']')).split(', ');
  return types.map((type) => ({ type }));
}
