import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../contract/vectors/text.json";
import { lastMessageOf } from "../../web/src/client/state/rows";
import { charactersIn, cut, isBlank } from "../../web/src/client/state/text";
import { message } from "./backend";

type Parts = readonly (string | readonly (string | number)[])[];

function textOf(parts: Parts): string {
  return parts
    .map((part) => (typeof part === "string" ? part : String(part[0]).repeat(Number(part[1]))))
    .join("");
}

/** Texts of many kinds of characters, the same in every run. */
function* randomTexts(count: number): Generator<string> {
  const pieces = ["a", "🦊", "e\u0301", "👨‍👩‍👧", "🇩🇪", "🇩", "👍🏽", "❤️", "\r\n", "\u1112\u1161\u11ab", "한", "각\u11a8"];
  const scripts = ["\u0915\u094d\u0937\u093f", "\u0600\u0661", "\u0e01\u0e33", "\u200d", "\u0301", "\n", "\u0bcd"];
  const all = [...pieces, ...scripts];
  let seed = 7;
  for (let made = 0; made < count; made += 1) {
    let text = "";
    while (charactersIn(text) < 40) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += all[Math.floor((seed / 2_147_483_648) * all.length)] ?? "";
    }
    yield text;
  }
}

test("the preview of every text vector is the expected one", () => {
  for (const { name, content, preview } of vectors.preview) {
    const expected = preview === null ? null : textOf(preview);
    assert.equal(lastMessageOf(message(1, { content: textOf(content) })).preview, expected, name);
  }
});

test("the blank texts of the vectors are blank, the others are not", () => {
  for (const { text, blank } of vectors.blank) {
    assert.equal(isBlank(textOf(text)), blank, JSON.stringify(text));
  }
});

test("the lengths of the text vectors count code points", () => {
  for (const { text, characters } of vectors.length) {
    assert.equal(charactersIn(textOf(text)), characters, JSON.stringify(text));
  }
});

test("a cut is a boundary of the browser's own segmentation", () => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const text of randomTexts(3_000)) {
    const kept = cut(text, 20);
    const boundaries = [...segmenter.segment(text)].map(({ index }) => index);
    assert.ok(charactersIn(kept) <= 20 && kept !== "");
    const longest = (boundaries[1] ?? 0) > kept.length;
    assert.ok(boundaries.includes(kept.length) || longest, JSON.stringify([text, kept]));
  }
});
