// util.time: instants are milliseconds since 1970; patterns are those of Java's DateTimeFormatter.
(() => {
  "use strict";
  const { call, ask, fail } = __appsync;
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"];
  const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const pad = (value, width) => String(value).padStart(width, "0");

  // Offset of a zone, in seconds east of UTC, at an instant or at a local wall-clock time.
  const zoneAt = (zone, kind, ms) => {
    if (zone === undefined || zone === null || zone === "UTC" || zone === "Z" || zone === "GMT") {
      return { offset: 0, name: "UTC" };
    }
    const fixed = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(zone);
    if (fixed !== null) {
      const seconds = (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)) * 60;
      return { offset: fixed[1] === "-" ? -seconds : seconds, name: zone };
    }
    return ask(`${kind}|${zone}|${ms}`);
  };

  const tokens = (pattern) => {
    const found = [];
    for (let at = 0; at < pattern.length; ) {
      const char = pattern[at];
      if (char === "'") {
        const end = pattern.indexOf("'", at + 1);
        if (end < 0) fail(`the date pattern has an unclosed quote: ${pattern}`);
        found.push({ text: end === at + 1 ? "'" : pattern.slice(at + 1, end) });
        at = end + 1;
      } else if (/[A-Za-z]/.test(char)) {
        let end = at;
        while (pattern[end] === char) end++;
        found.push({ letter: char, width: end - at });
        at = end;
      } else {
        found.push({ text: char });
        at++;
      }
    }
    return found;
  };

  const offsetText = (seconds, { colon, zero, minutes }) => {
    if (seconds === 0 && zero !== null) return zero;
    const total = Math.abs(seconds) / 60;
    const hours = pad(Math.floor(total / 60), 2);
    const rest = pad(Math.floor(total % 60), 2);
    const tail = minutes || rest !== "00" ? (colon ? ":" : "") + rest : "";
    return (seconds < 0 ? "-" : "+") + hours + tail;
  };

  const unsupported = (letter) => fail(`the date pattern letter '${letter}' is not imitated by the local Events service`);

  const field = ({ letter, width }, local, zone) => {
    const year = local.getUTCFullYear();
    const hours = local.getUTCHours();
    switch (letter) {
      case "y": case "u":
        return width === 2 ? pad(year % 100, 2) : pad(year, width);
      case "M": case "L": {
        const month = local.getUTCMonth();
        if (width >= 4) return MONTHS[month];
        return width === 3 ? MONTHS[month].slice(0, 3) : pad(month + 1, width);
      }
      case "d": return pad(local.getUTCDate(), width);
      case "D": return pad(Math.floor((local - Date.UTC(year, 0, 1)) / 86400000) + 1, width);
      case "E": return width >= 4 ? DAYS[local.getUTCDay()] : DAYS[local.getUTCDay()].slice(0, 3);
      case "a": return hours < 12 ? "AM" : "PM";
      case "H": return pad(hours, width);
      case "k": return pad(hours === 0 ? 24 : hours, width);
      case "K": return pad(hours % 12, width);
      case "h": return pad(hours % 12 === 0 ? 12 : hours % 12, width);
      case "m": return pad(local.getUTCMinutes(), width);
      case "s": return pad(local.getUTCSeconds(), width);
      case "S": return pad(local.getUTCMilliseconds(), 3).padEnd(width, "0").slice(0, width);
      case "z": return zone.name;
      case "Z":
        if (width === 4) return "GMT" + offsetText(zone.offset, { colon: true, zero: "", minutes: true });
        return offsetText(zone.offset, { colon: width === 5, zero: width === 5 ? "Z" : null, minutes: true });
      case "X": return offsetText(zone.offset, { colon: width === 3, zero: "Z", minutes: width > 1 });
      case "x": return offsetText(zone.offset, { colon: width === 3, zero: null, minutes: width > 1 });
      default: return unsupported(letter);
    }
  };

  const format = (ms, pattern, zoneName) => {
    const zone = zoneAt(zoneName, "instant", ms);
    const local = new Date(ms + zone.offset * 1000);
    return tokens(String(pattern)).map((token) => token.text ?? field(token, local, zone)).join("");
  };

  const OFFSET = "Z|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?";
  const expression = ({ letter, width, text }) => {
    if (text !== undefined) return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    switch (letter) {
      case "y": case "u": return width === 2 ? "(\\d{2})" : "(\\d{4,})";
      case "M": case "L": return width >= 3 ? "([A-Za-z]+)" : width === 2 ? "(\\d{2})" : "(\\d{1,2})";
      case "E": case "a": return "([A-Za-z]+)";
      case "S": return `(\\d{${width}})`;
      case "Z": case "X": case "x": case "z": return `((?:GMT|UTC)?(?:${OFFSET}))`;
      case "d": case "D": case "H": case "k": case "K": case "h": case "m": case "s":
        return width === 1 ? "(\\d{1,3})" : `(\\d{${width}})`;
      default: return unsupported(letter);
    }
  };

  const offsetSeconds = (text) => {
    const match = /([+-])(\d{2}):?(\d{2})?$/.exec(text);
    if (match === null) return 0;
    const seconds = (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60;
    return match[1] === "-" ? -seconds : seconds;
  };

  const read = (seen, { letter, width }, text) => {
    switch (letter) {
      case "y": case "u": seen.year = width === 2 ? 2000 + Number(text) : Number(text); break;
      case "M": case "L":
        seen.month = width < 3 ? Number(text)
          : MONTHS.findIndex((name) => (width === 3 ? name.slice(0, 3) : name).toLowerCase() === text.toLowerCase()) + 1;
        break;
      case "d": seen.day = Number(text); break;
      case "D": seen.month = 1; seen.day = Number(text); seen.dayOfYear = true; break;
      case "a": seen.afternoon = text.toLowerCase() === "pm"; break;
      case "H": seen.hour = Number(text); break;
      case "k": seen.hour = Number(text) % 24; break;
      case "K": seen.half = Number(text); break;
      case "h": seen.half = Number(text) % 12; break;
      case "m": seen.minute = Number(text); break;
      case "s": seen.second = Number(text); break;
      case "S": seen.ms = Math.floor(Number(`0.${text}`) * 1000 + 1e-9); break;
      case "Z": case "X": case "x": case "z": seen.offset = offsetSeconds(text); break;
    }
  };

  const parse = (timestamp, pattern, zoneName) => {
    const parts = tokens(String(pattern));
    const match = new RegExp(`^${parts.map(expression).join("")}$`).exec(timestamp);
    if (match === null) fail(`'${timestamp}' does not match the date pattern '${pattern}'`);
    const seen = { year: 1970, month: 1, day: 1, minute: 0, second: 0, ms: 0 };
    parts.filter((part) => part.letter !== undefined).forEach((part, at) => read(seen, part, match[at + 1]));
    const hour = seen.hour ?? (seen.half ?? 0) + (seen.afternoon ? 12 : 0);
    const last = seen.dayOfYear ? 366 : new Date(Date.UTC(seen.year, seen.month, 0)).getUTCDate();
    if (seen.month < 1 || seen.month > 12 || seen.day < 1 || seen.day > last || hour > 23 || seen.minute > 59
        || seen.second > 59) {
      fail(`'${timestamp}' is not a date and time`);
    }
    const local = Date.UTC(seen.year, seen.month - 1, seen.day, hour, seen.minute, seen.second, seen.ms);
    return local - (seen.offset ?? zoneAt(zoneName, "local", local).offset) * 1000;
  };

  const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)$/;
  const parseIso = (timestamp) => {
    const match = ISO.exec(timestamp);
    if (match === null) fail(`'${timestamp}' is not an ISO 8601 date and time with an offset`);
    const fraction = (match[2] ?? "").slice(1);
    const whole = timestamp.slice(0, timestamp.length - match[3].length).slice(0, match[1] === undefined ? 16 : 19);
    const ms = Math.floor(Number(`0.${fraction || 0}`) * 1000 + 1e-9);
    return parse(whole, match[1] === undefined ? "yyyy-MM-dd'T'HH:mm" : "yyyy-MM-dd'T'HH:mm:ss") + ms
      - offsetSeconds(match[3]) * 1000;
  };

  const iso = (ms) => new Date(ms).toISOString();
  __appsync.time = {
    nowISO8601: () => iso(call.now),
    nowEpochSeconds: () => Math.floor(call.now / 1000),
    nowEpochMilliSeconds: () => call.now,
    nowFormatted: (pattern, zone) => format(call.now, pattern, zone),
    parseFormattedToEpochMilliSeconds: parse,
    parseISO8601ToEpochMilliSeconds: parseIso,
    epochMilliSecondsToSeconds: (ms) => Math.floor(ms / 1000),
    epochMilliSecondsToISO8601: iso,
    epochMilliSecondsToFormatted: format,
  };
})();
