// Draws a chart as SVG with a title, a finding, axes and the numbers behind it as a table; refuses to draw without any.
const SVG_SPACE = 'http' + '://www.w3.org/2000/svg'; // a name, not an address that is fetched

const sv = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

const decimal = (value) => value.toFixed(2);
const figure = (value) => (value >= 1000 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : value >= 10 ? value.toFixed(0) : value.toPrecision(2));

const linear = ([low, high], [from, to]) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
const logarithmic = ([low, high], range) => {
  const along = linear([Math.log10(low), Math.log10(high)], range);
  return (value) => along(Math.log10(Math.min(high, Math.max(low, value))));
};

const SCALES = { 0.02: 4, 0.05: 5, 0.1: 5, 0.2: 4, 0.3: 3, 0.5: 5, 0.75: 3, 1: 5 }; // the end of an axis of shares, and its steps
const niceMost = (value) => Object.keys(SCALES).map(Number).sort((one, other) => one - other).find((step) => value <= step) || 1;
const evenly = (count, most = 1) => Array.from({ length: count + 1 }, (_, step) => (step / count) * most);

// the whole numbers between two, a round step apart
const roundSteps = (first, last, most = 5) => {
  const step = [1, 2, 5].flatMap((digit) => Array.from({ length: 7 }, (_, power) => digit * 10 ** power)).sort((one, other) => one - other).find((size) => (last - first) / size <= most);
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => first + at * step);
};

const openTables = new Set();

const numbersTable = (id, title, columns, rows) => {
  const cells = (row) => row.map((cell, place) => (place ? el('td', {}, cell) : el('th', { scope: 'row' }, cell)));
  const table = el('table', { class: 'ch-table' }, el('caption', { class: 'ch-only' }, title), el('thead', {}, el('tr', {}, columns.map((name) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, cells(row)))));
  const remember = (event) => { if (event.target.open) openTables.add(id); else openTables.delete(id); };
  return el('details', { class: 'ch-numbers', open: openTables.has(id), on: { toggle: remember } }, el('summary', {}, 'Show numbers', el('span', { class: 'ch-only' }, `: ${title}`)),
    el('div', { class: 'ch-scroll', tabindex: '0', role: 'group', 'aria-label': `Numbers: ${title}` }, table));
};

const legendOf = (items) => el('ul', { class: 'ch-legend' }, items.map(({ name, mark }) => el('li', {}, sv('svg', { width: 22, height: 12, viewBox: '0 0 22 12', 'aria-hidden': 'true' }, mark(11, 6)), name)));

const MARKS = {
  round: (name) => (x, y, size = 4.5) => sv('circle', { class: `ch-mark ch-hollow ch-${name}`, cx: x, cy: y, r: size }),
  square: (name) => (x, y, size = 4) => sv('rect', { class: `ch-mark ch-solid ch-${name}`, x: x - size, y: y - size, width: size * 2, height: size * 2 }),
  diamond: (name) => (x, y, size = 7) => sv('path', { class: `ch-mark ch-solid ch-${name}`, d: `M${x} ${y - size}L${x + size} ${y}L${x} ${y + size}L${x - size} ${y}Z` }),
  dash: (name) => (x, y) => sv('line', { class: `ch-line ch-dashed ch-${name}`, x1: x - 10, x2: x + 10, y1: y, y2: y }),
};

const path = (points) => points.map(([x, y], place) => `${place ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

const drawAxes = (box, x, y) => {
  const [toX, toY] = [box.toX, box.toY];
  const rows = y.ticks.map((tick) => sv('g', {}, sv('line', { class: 'ch-grid', x1: box.left, x2: box.right, y1: toY(tick), y2: toY(tick) }),
    sv('text', { class: 'ch-tick', x: box.left - 8, y: toY(tick) + 4, 'text-anchor': 'end' }, y.format(tick))));
  const columns = x.ticks.map((tick) => sv('text', { class: 'ch-tick', x: toX(tick), y: box.bottom + 17, 'text-anchor': 'middle' }, x.format(tick)));
  return [rows, columns, sv('line', { class: 'ch-axis', x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }),
    sv('text', { class: 'ch-label', x: (box.left + box.right) / 2, y: box.bottom + 35, 'text-anchor': 'middle' }, x.label),
    sv('text', { class: 'ch-label', x: box.left - 46, y: box.top - 12, 'text-anchor': 'start' }, y.label)];
};

// said beside what it names, so that nobody has to look it up in a legend
const besides = (x, y, text, name, anchor = 'start') => sv('text', { class: `ch-beside ch-ink-${name}`, x, y, 'text-anchor': anchor }, text);

const countRow = (box, place, { name, label, values }) => {
  const y = box.bottom + 54 + place * 17;
  let edge = box.left - 8;
  const counted = ([at, count]) => {
    const half = 3.5 * String(count).length;
    const x = Math.max(box.toX(at), edge + half + 3);
    if (x - box.toX(at) > 16) return null; // no room: the table has it
    edge = x + half;
    return sv('text', { class: `ch-count ch-ink-${name}`, x, y, 'text-anchor': 'middle' }, String(count));
  };
  return [sv('text', { class: `ch-count ch-ink-${name}`, x: box.left - 8, y, 'text-anchor': 'end' }, label), values.map(counted)];
};

const chart = ({ id, title, finding, width, x, y, counts = [], legend = [], draw, columns, rows }) => {
  const height = Math.round(Math.min(300, Math.max(220, width * 0.56))) + counts.length * 17;
  const box = { left: 54, right: width - 16, top: 30, bottom: height - 46 - counts.length * 17 };
  box.toX = linear(x.domain, [box.left, box.right]);
  box.toY = (y.log ? logarithmic : linear)(y.domain, [box.bottom, box.top]);
  const [name, about] = [`ch-${id}-title`, `ch-${id}-desc`];
  const picture = sv('svg', { class: 'ch-svg', role: 'img', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-labelledby': `${name} ${about}` },
    sv('title', { id: name }, title), sv('desc', { id: about }, finding), drawAxes(box, x, y), counts.map((row, place) => countRow(box, place, row)), draw(box));
  return el('figure', { class: 'ch-figure', 'data-chart': id }, el('h4', {}, title), el('figcaption', {}, finding), legend.length ? legendOf(legend) : null, picture,
    numbersTable(id, title, columns, rows));
};

const withoutChart = (id, title, note) => el('figure', { class: 'ch-figure ch-missing', 'data-chart': id }, el('h4', {}, title), el('p', { class: 'ch-note' }, note));
