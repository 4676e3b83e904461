// Shows what an edit changes, word by word; refuses to compare texts so long that the page would stall.
const DIFF_CELLS = 1500000;

const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || [];

const lcsTable = (before, after) => {
  const width = after.length + 1;
  const table = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = before[i] === after[j]
        ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  return { table, width };
};

const diffParts = (beforeText, afterText) => {
  const before = wordsOf(beforeText);
  const after = wordsOf(afterText);
  if (before.length * after.length > DIFF_CELLS) return [['del', beforeText], ['ins', afterText]];
  const { table, width } = lcsTable(before, after);
  const parts = [];
  const put = (kind, text) => {
    const last = parts[parts.length - 1];
    if (last && last[0] === kind) last[1] += text;
    else parts.push([kind, text]);
  };
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      put('same', before[i]);
      i += 1;
      j += 1;
    } else if (j >= after.length || (i < before.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      put('del', before[i]);
      i += 1;
    } else {
      put('ins', after[j]);
      j += 1;
    }
  }
  return parts;
};

const diffView = (beforeText, afterText) => el('span', { class: 'rc-diff' }, diffParts(beforeText, afterText).map(([kind, text]) => (
  kind === 'same' ? marked(text) : el(kind, {}, marked(text)))));
