// The objects util, extensions and runtime of '@aws-appsync/utils'.
(() => {
  "use strict";
  const { call, stop, fail, random, randomBytes, notImitated, deepFreeze } = __appsync;
  const hex = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // Numbers as [high ... low] digits of another base, for identifiers longer than a JavaScript integer.
  const inBase = (bytes, base, length) => {
    const digits = [];
    let rest = [...bytes];
    for (let at = 0; at < length; at++) {
      let remainder = 0;
      rest = rest.map((byte) => {
        const value = remainder * 256 + byte;
        remainder = value % base;
        return Math.floor(value / base);
      });
      digits.unshift(remainder);
    }
    return digits;
  };
  const bigEndian = (value, count) =>
    Array.from({ length: count }, (_, at) => Math.floor(value / 256 ** (count - 1 - at)) % 256);

  const autoId = () => {
    const bytes = randomBytes(16);
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const text = hex(bytes);
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
  };
  const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const autoUlid = () =>
    inBase([...bigEndian(call.now, 6), ...randomBytes(10)], 32, 26).map((digit) => CROCKFORD[digit]).join("");
  const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const KSUID_EPOCH_SECONDS = 1400000000;
  const autoKsuid = () => {
    const seconds = Math.floor(call.now / 1000) - KSUID_EPOCH_SECONDS;
    return inBase([...bigEndian(seconds, 4), ...randomBytes(16)], 62, 27).map((digit) => BASE62[digit]).join("");
  };

  const utf8 = (text) =>
    encodeURIComponent(String(text).toWellFormed()).match(/%..|[^%]/g)?.map((part) =>
      part.length === 3 ? parseInt(part.slice(1), 16) : part.charCodeAt(0)) ?? [];
  const fromUtf8 = (bytes, what) => {
    try {
      return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
    } catch {
      return fail(`${what} does not hold UTF-8 text`);
    }
  };
  const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const base64Encode = (text) => {
    const bytes = utf8(text);
    const out = [];
    for (let at = 0; at < bytes.length; at += 3) {
      const group = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      const count = Math.min(3, bytes.length - at);
      for (let n = 0; n < 4; n++) out.push(n <= count ? BASE64[(group >> (18 - 6 * n)) & 63] : "=");
    }
    return out.join("");
  };
  const base64Decode = (text) => {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) fail("util.base64Decode got text that is not base64");
    const digits = [...text.replace(/=+$/, "")].map((char) => BASE64.indexOf(char));
    const bytes = [];
    for (let at = 0; at < digits.length; at += 4) {
      const group = digits.slice(at, at + 4);
      const value = group.reduce((sum, digit, n) => sum | (digit << (18 - 6 * n)), 0);
      for (let n = 0; n < group.length - 1; n++) bytes.push((value >> (16 - 8 * n)) & 255);
    }
    return fromUtf8(bytes, "util.base64Decode");
  };

  // application/x-www-form-urlencoded, as java.net.URLEncoder writes it.
  const urlEncode = (text) =>
    utf8(text).map((byte) => {
      const char = String.fromCharCode(byte);
      if (char === " ") return "+";
      return /[A-Za-z0-9.*_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join("");
  const urlDecode = (text) => {
    try {
      return decodeURIComponent(String(text).replace(/\+/g, " "));
    } catch {
      return fail("util.urlDecode got text that is not URL-encoded");
    }
  };

  const ESCAPES = { '"': '\\"', "'": "\\'", "\\": "\\\\", "/": "\\/", "\b": "\\b", "\n": "\\n", "\t": "\\t",
    "\f": "\\f", "\r": "\\r" };
  const escapeJavaScript = (text) =>
    String(text).split("").map((char) => {
      const code = char.charCodeAt(0);
      return ESCAPES[char] ?? (code < 32 || code > 126 ? `\\u${code.toString(16).toUpperCase().padStart(4, "0")}` : char);
    }).join("");

  const optional = (value) => (value === undefined ? null : value);
  const error = (message, type, data, info) =>
    stop({
      kind: "refused", unauthorized: false, message: String(message ?? ""), type: String(type ?? ""),
      data: optional(data), info: optional(info),
    });
  const unauthorized = () =>
    stop({
      kind: "refused", unauthorized: true, message: "You are not authorized to make this call.", type: "Unauthorized",
      data: null, info: null,
    });
  const appendError = (message, type, data, info) => {
    const appended = { message: String(message ?? ""), type: String(type ?? ""), data: optional(data), info: optional(info) };
    call.appended.push(appended);
    call.logs.push({ level: "WARNING", text: `util.appendError: ${appended.type}: ${appended.message}` });
  };

  const authType = () => {
    const identity = call.identity;
    if (identity === null || identity === undefined) return "API Key Authorization";
    if (Object.hasOwn(identity, "handlerContext")) return "Lambda Authorization";
    if (Object.hasOwn(identity, "userArn")) return "IAM Authorization";
    return Object.hasOwn(identity, "defaultAuthStrategy") ? "User Pool Authorization" : "Open ID Connect Authorization";
  };

  const FORMS = { nfc: "NFC", nfd: "NFD", nfkc: "NFKC", nfkd: "NFKD" };
  const normalize = (value, form) =>
    String(value).normalize(FORMS[String(form).toLowerCase()] ?? fail(`unknown normalization form '${form}'`));

  // Headers of the caller's own connection, which are not passed on.
  const RESTRICTED = ["transfer-encoding", "connection", "host", "expect", "keep-alive", "upgrade",
    "proxy-authenticate", "proxy-authorization", "te", "content-length"];
  const copyHeaders = (headers) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !RESTRICTED.includes(name.toLowerCase())));

  const util = {
    escapeJavaScript, urlEncode, urlDecode, base64Encode, base64Decode, autoId, autoUlid, autoKsuid, unauthorized,
    error, appendError, authType,
    matches: __appsync.regex.matches,
    time: __appsync.time,
    dynamodb: __appsync.dynamodb,
    transform: __appsync.transform,
    math: {
      roundNum: (value) => Math.round(value),
      minVal: (one, other) => Math.min(one, other),
      maxVal: (one, other) => Math.max(one, other),
      randomDouble: () => random(),
      randomWithinRange: (start, end) => Math.floor(start + random() * (end - start)),
    },
    str: { normalize },
    http: {
      copyHeaders,
      addResponseHeader: notImitated("util.http.addResponseHeader"),
      addResponseHeaders: notImitated("util.http.addResponseHeaders"),
    },
    xml: { toMap: notImitated("util.xml.toMap"), toJsonString: notImitated("util.xml.toJsonString") },
    rds: { toJsonObject: notImitated("util.rds.toJsonObject") },
  };
  const extensions = {
    evictFromApiCache: notImitated("extensions.evictFromApiCache"),
    setSubscriptionFilter: notImitated("extensions.setSubscriptionFilter"),
    setSubscriptionInvalidationFilter: notImitated("extensions.setSubscriptionInvalidationFilter"),
    invalidateSubscriptions: notImitated("extensions.invalidateSubscriptions"),
  };
  // skipTo matters to pipelines only, which Event APIs do not have.
  const earlyReturn = (value, options) => {
    if (!["END", "NEXT"].includes(options?.skipTo ?? "END")) fail(`skipTo is END or NEXT, not '${options.skipTo}'`);
    return stop({ kind: "early", value: optional(value) });
  };
  const runtime = { earlyReturn };

  const absent = (module, names) =>
    Object.fromEntries(names.map((name) => [name, notImitated(`${name} of '${module}'`)]));
  Object.assign(__appsync.modules, deepFreeze({
    "@aws-appsync/utils": { util, extensions, runtime },
    "@aws-appsync/utils/rds": absent("@aws-appsync/utils/rds", ["sql", "select", "insert", "update", "remove",
      "createPgStatement", "createMySQLStatement", "typeHint", "agg", "toJsonObject"]),
    "@aws-appsync/utils/ai": absent("@aws-appsync/utils/ai", ["invokeModel", "converse"]),
  }));
})();
