/** Rules of text, equal to those of `contract/text.py`; `contract/vectors/text.json` holds examples of both. */

import { BLANK_CHARACTERS, limits } from "../../contract";

const EXTENDING = /^[\p{M}\u{E33}\u{EB3}\u{200C}\u{200D}\u{FF9E}\u{FF9F}\u{1F3FB}-\u{1F3FF}\u{E0020}-\u{E007F}]$/u;
/** The zero-width joiner, the Indic linkers and the prepended signs join with what follows them. */
const JOINING = new Set(
  "\u{200D}\u{94D}\u{9CD}\u{ACD}\u{B4D}\u{C4D}\u{D4D}\u{600}\u{601}\u{602}\u{603}\u{604}\u{605}\u{6DD}\u{70F}\u{890}\u{891}\u{8E2}\u{D4E}\u{110BD}\u{110CD}\u{111C2}\u{111C3}"
);
const REGIONAL = /^[\u{1F1E6}-\u{1F1FF}]$/u;
const HANGUL_L = /^[\u{1100}-\u{115F}\u{A960}-\u{A97C}]$/u;
const HANGUL_V = /^[\u{1160}-\u{11A7}\u{D7B0}-\u{D7C6}]$/u;
const HANGUL_T = /^[\u{11A8}-\u{11FF}\u{D7CB}-\u{D7FB}]$/u;
const HANGUL_SYLLABLE = /^[\u{AC00}-\u{D7A3}]$/u;

/** The number of code points, which every limit counts. */
export function charactersIn(text: string): number {
  return [...text].length;
}

/** Whether a text is empty or only white space. */
export function isBlank(text: string): boolean {
  return [...text].every((char) => BLANK_CHARACTERS.includes(char));
}

/** Return the beginning of a message's content for the conversation list; null for a blank one. */
export function previewOf(content: string | null): string | null {
  return content === null || isBlank(content) ? null : cut(content, limits.PREVIEW_CHARACTERS);
}

/**
 * Return the longest beginning of at most `most` code points that ends between two characters as users see them.
 *
 * A single character that is longer than `most` is cut after `most` code points.
 */
export function cut(text: string, most: number): string {
  const chars = [...text];
  if (chars.length <= most) {
    return text;
  }
  let end = most;
  while (end > 0 && isInside(chars, end)) {
    end -= 1;
  }
  return chars.slice(0, end > 0 ? end : most).join("");
}

/** Whether a cut before index `at` would separate code points of one character. */
function isInside(chars: readonly string[], at: number): boolean {
  const left = chars[at - 1] ?? "";
  const right = chars[at] ?? "";
  if (EXTENDING.test(right) || JOINING.has(left) || (left === "\r" && right === "\n")) {
    return true;
  }
  if (REGIONAL.test(left) && REGIONAL.test(right)) {
    let first = at - 1;
    while (REGIONAL.test(chars[first - 1] ?? "")) {
      first -= 1;
    }
    return (at - first) % 2 === 1;
  }
  return joinsHangul(left, right);
}

function joinsHangul(left: string, right: string): boolean {
  const before = hangul(left);
  const after = hangul(right);
  return (
    (before === "L" && ["L", "V", "LV", "LVT"].includes(after)) ||
    (["V", "LV"].includes(before) && ["V", "T"].includes(after)) ||
    (["T", "LVT"].includes(before) && after === "T")
  );
}

function hangul(char: string): string {
  if (HANGUL_SYLLABLE.test(char)) {
    return ((char.codePointAt(0) ?? 0) - 0xac00) % 28 === 0 ? "LV" : "LVT";
  }
  return HANGUL_L.test(char) ? "L" : HANGUL_V.test(char) ? "V" : HANGUL_T.test(char) ? "T" : "";
}
