// Makes characters visible that a reader cannot see or would misread; refuses to drop any silently.
const HIDDEN_NAMES = {
  0x00ad: 'soft hyphen', 0x034f: 'grapheme joiner', 0x061c: 'Arabic letter mark', 0x180e: 'Mongolian vowel separator',
  0x200b: 'zero-width space', 0x200c: 'zero-width non-joiner', 0x200d: 'zero-width joiner', 0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark', 0x2028: 'line separator', 0x2029: 'paragraph separator', 0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding', 0x202c: 'end of direction change', 0x202d: 'left-to-right override',
  0x202e: 'right-to-left override', 0x2060: 'word joiner', 0x2066: 'left-to-right isolate', 0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate', 0x2069: 'end of isolate', 0x3164: 'Hangul filler', 0xfeff: 'zero-width no-break space',
};
const HIDDEN = new RegExp('(?![\\n\\t])[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Noncharacter_Code_Point}\\u034F\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F'
  + '\\u2028\\u2029\\u2065\\u2800\\u3164\\uFE00-\\uFE0F\\uFFA0\\u{E0000}-\\u{E0FFF}]', 'gu');
const FLAG = /\u{1F3F4}[\u{E0061}-\u{E007A}]{5}\u{E007F}/gu;
const KNOWN_FLAGS = ['gbeng', 'gbsct', 'gbwls'];
const PICTURE = /[\p{So}\p{Sk}]/u;
const JOINING = /[\u0600-\u0DFF\u1820-\u18AA]/u;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const MIXED_WORD = /(?=\p{L}*\p{Script=Latin})(?=\p{L}*[\p{Script=Cyrillic}\p{Script=Greek}])\p{L}+/gu;
const STACKED = /\p{M}{4,}/gu;

const isOrdinary = (text, at, length) => {
  const code = text.codePointAt(at);
  const before = [...text.slice(Math.max(0, at - 2), at)].pop() || '';
  const after = text.slice(at + length, at + length + 2);
  const follower = [...after][0] || '';
  if (code === 0x0d) return follower === '\n';
  if (code === 0xfe0e || code === 0xfe0f) return PICTURE.test(before) || /[#*0-9]/.test(before);
  if (code === 0x200c || code === 0x200d) {
    const joined = (PICTURE.test(before) || before === '\ufe0f') && PICTURE.test(follower);
    return joined || (JOINING.test(before) && JOINING.test(follower));
  }
  return (code === 0x200e || code === 0x200f) && (RIGHT_TO_LEFT.test(before) || RIGHT_TO_LEFT.test(follower));
};

const flagPlaces = (text) => {
  const letters = (flag) => [...flag].slice(1, 6).map((tag) => String.fromCharCode(tag.codePointAt(0) - 0xe0000)).join('');
  return [...text.matchAll(FLAG)].filter((match) => KNOWN_FLAGS.includes(letters(match[0]))).map((match) => [match.index, match.index + match[0].length]);
};

const hiddenSpans = (text) => {
  const spans = [];
  const flags = flagPlaces(text);
  for (const match of text.matchAll(HIDDEN)) {
    const inFlag = flags.some(([from, to]) => match.index >= from && match.index < to);
    if (!inFlag && !isOrdinary(text, match.index, match[0].length)) {
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
