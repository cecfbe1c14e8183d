// Translates Java regular expressions to JavaScript's; refuses by name what cannot be translated.
(() => {
  "use strict";
  const { fail } = __appsync;
  const POSIX = {
    Lower: "a-z", Upper: "A-Z", Alpha: "a-zA-Z", Digit: "0-9", Alnum: "a-zA-Z0-9", Space: "\\s",
    Punct: "!-\\/:-@\\[-`{-~", XDigit: "0-9a-fA-F", Blank: " \\t", ASCII: "\\x00-\\x7F",
  };
  const QUOTE = /[\\^$.*+?()[\]{}|/-]/g;
  const compiled = new Map();

  const inlineFlags = (pattern) => {
    const match = /^\(\?([imsxu]+)\)/.exec(pattern);
    if (match === null) return { flags: "", body: pattern };
    if (match[1].includes("x")) fail("the regular expression flag (?x) is not imitated by the local Events service");
    return { flags: match[1].replace("u", ""), body: pattern.slice(match[0].length) };
  };

  const translate = (body) => {
    let out = "";
    let inClass = false;
    for (let at = 0; at < body.length; at++) {
      const char = body[at];
      if (char === "\\") {
        const next = body[at + 1] ?? fail("the regular expression ends in a backslash");
        const posix = /^\\p\{([A-Za-z]+)\}/.exec(body.slice(at));
        if (next === "Q") {
          const end = body.indexOf("\\E", at);
          const quoted = body.slice(at + 2, end < 0 ? undefined : end);
          out += quoted.replace(QUOTE, "\\$&");
          at = end < 0 ? body.length : end + 1;
        } else if (posix !== null && Object.hasOwn(POSIX, posix[1])) {
          out += inClass ? POSIX[posix[1]] : `[${POSIX[posix[1]]}]`;
          at += posix[0].length - 1;
        } else if (next === "A" || next === "z" || next === "Z") {
          out += { A: "(?<![\\s\\S])", z: "(?![\\s\\S])", Z: "(?=\\n?(?![\\s\\S]))" }[next];
          at++;
        } else if (next === "h") {
          out += inClass ? " \\t\\u00A0" : "[ \\t\\u00A0]";
          at++;
        } else {
          out += char + next;
          at++;
        }
      } else {
        if (inClass && body.startsWith("&&", at)) {
          fail("intersections in character classes are not imitated by the local Events service");
        }
        if (!inClass && /[*+?}]/.test(char) && body[at + 1] === "+") {
          fail("possessive quantifiers in regular expressions are not imitated by the local Events service");
        }
        if (!inClass && body.startsWith("(?>", at)) {
          fail("atomic groups in regular expressions are not imitated by the local Events service");
        }
        if (char === "[") inClass = true;
        else if (char === "]") inClass = false;
        out += char;
      }
    }
    return out;
  };

  const compile = (pattern, extra) => {
    const key = extra + "/" + pattern;
    if (!compiled.has(key)) {
      const { flags, body } = inlineFlags(String(pattern));
      const text = translate(body);
      const unicode = /\\[pP]\{/.test(text) ? "u" : "";
      try {
        const whole = extra === "whole" ? `^(?:${text})$` : text;
        compiled.set(key, new RegExp(whole, [...new Set(flags + unicode + (extra === "all" ? "g" : ""))].join("")));
      } catch (error) {
        fail(`not a regular expression: ${pattern} (${error.message})`);
      }
    }
    return compiled.get(key);
  };

  // The whole value must match, as in java.util.regex.Pattern.matches, on which AWS's own example is based.
  const matches = (pattern, value) => compile(pattern, "whole").test(String(value));

  const nativeReplace = String.prototype.replace;
  Object.defineProperty(String.prototype, "replaceAll", {
    value: function replaceAll(pattern, replacement) {
      const expression = compile(pattern, "all");
      expression.lastIndex = 0;
      return nativeReplace.call(this, expression, replacement);
    },
  });

  __appsync.regex = { matches };
})();
