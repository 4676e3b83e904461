// Makes characters visible that a reader cannot see or would misread; refuses to drop any silently.
const HIDDEN_NAMES = {
  0x00ad: 'soft hyphen', 0x034f: 'grapheme joiner', 0x061c: 'Arabic letter mark', 0x180e: 'Mongolian vowel separator',
  0x200b: 'zero-width space', 0x200c: 'zero-width non-joiner', 0x200d: 'zero-width joiner', 0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark', 0x2028: 'line separator', 0x2029: 'paragraph separator', 0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding', 0x202c: 'end of direction change', 0x202d: 'left-to-right override',
  0x202e: 'right-to-left override', 0x2060: 'word joiner', 0x2066: 'left-to-right isolate', 0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate', 0x2069: 'end of isolate', 0x3164: 'Hangul filler', 0xfeff: 'zero-width no-break space',
};
const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B-\\u200F'
    + '\\u2028-\\u202E\\u2060-\\u206F\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF9-\\uFFFB\\u{E0000}-\\u{E0FFF}\\p{Co}\\p{Cs}]', 'gu');
const PICTURE = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u20E3#*0-9]/u;
const MIXED_WORD = /(?=\p{L}*\p{Script=Latin})(?=\p{L}*[\p{Script=Cyrillic}\p{Script=Greek}])\p{L}+/gu;
const STACKED = /\p{M}{4,}/gu;

const belongsToPicture = (text, at, length) => {
  const code = text.codePointAt(at);
  const before = text.slice(Math.max(0, at - 2), at);
  if (code === 0xfe0f) return PICTURE.test(before);
  return code === 0x200d && (PICTURE.test(before) || before.endsWith('\ufe0f')) && PICTURE.test(text.slice(at + length, at + length + 2));
};

const lineEnd = (text, at) => text[at] === '\r' && text[at + 1] === '\n';

const hiddenSpans = (text) => {
  const spans = [];
  for (const match of text.matchAll(HIDDEN)) {
    if (!lineEnd(text, match.index) && !belongsToPicture(text, match.index, match[0].length)) {
      spans.push({ from: match.index, to: match.index + match[0].length, kind: 'hidden' });
    }
  }
  for (const match of text.matchAll(STACKED)) spans.push({ from: match.index, to: match.index + match[0].length, kind: 'hidden' });
  for (const match of text.matchAll(MIXED_WORD)) {
    let at = match.index;
    for (const letter of match[0]) {
      if (/[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(letter)) spans.push({ from: at, to: at + letter.length, kind: 'lookalike' });
      at += letter.length;
    }
  }
  return spans.sort((one, other) => one.from - other.from);
};

const hasHidden = (text) => hiddenSpans(text).some((span) => span.kind === 'hidden');

const withoutHidden = (text) => {
  let clean = '';
  let at = 0;
  for (const span of hiddenSpans(text)) {
    if (span.kind !== 'hidden' || span.from < at) continue;
    clean += text.slice(at, span.from);
    at = span.to;
  }
  return clean + text.slice(at);
};

const codeName = (code) => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;

const chipFor = (text, kind) => {
  const code = text.codePointAt(0);
  if (kind === 'lookalike') {
    return el('span', { class: 'rc-hidden', title: `${text} is not a Latin letter (${codeName(code)})` }, `${text}⟦${codeName(code)}⟧`);
  }
  const tag = code > 0xe001f && code < 0xe007f ? String.fromCharCode(code - 0xe0000) : '';
  const name = tag ? `tag character “${tag}”` : HIDDEN_NAMES[code] || 'invisible or control character';
  return el('span', { class: 'rc-hidden', title: name }, `⟦${codeName(code)}${tag ? ` ${tag}` : ''}⟧`);
};

const CHIPS_SHOWN = 400;

const marked = (value) => {
  const text = String(value);
  const nodes = [];
  const spans = hiddenSpans(text);
  let at = 0;
  for (const span of spans.slice(0, CHIPS_SHOWN)) {
    if (span.from < at) continue;
    if (span.from > at) nodes.push(document.createTextNode(text.slice(at, span.from)));
    nodes.push(chipFor(text.slice(span.from, span.to), span.kind));
    at = span.to;
  }
  const rest = spans.length > CHIPS_SHOWN ? withoutHidden(text.slice(at)) : text.slice(at);
  if (rest) nodes.push(document.createTextNode(rest));
  if (spans.length > CHIPS_SHOWN) nodes.push(el('span', { class: 'rc-hidden' }, `⟦${spans.length - CHIPS_SHOWN} more hidden characters⟧`));
  return nodes;
};
