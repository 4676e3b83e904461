// The audit log's records of one action, fetched when somebody asks; refuses to call more of the log sound than was checked.
const shortened = (text) => (/^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 12)}…` : text.length > 300 ? `${text.slice(0, 300)}…` : text);

const trailValue = (value) => {
  if (typeof value === 'string') return shortened(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return Object.entries(value).map(([name, part]) => `${name} ${trailValue(part)}`).join(', ') || 'nothing';
};

const trailRow = (line) => el('li', {},
  el('div', { class: 'tr-line' }, el('span', { class: 'rc-soft' }, `#${line.seq}`), el('b', {}, marked(words(line.kind.replace('.', ': ')))),
    el('span', {}, 'by ', marked(line.actor)), el('span', { class: 'rc-soft' }, clock(line.at)),
    line.sound ? null : el('strong', { class: 'tr-broken' }, 'changed after it was written')),
  el('div', { class: 'rc-soft rc-text' }, Object.entries(line.body).filter(([, value]) => value !== null && value !== '')
    .map(([name, value], at) => [at ? ' · ' : '', marked(`${name} ${trailValue(value)}`)])),
  line.erased ? el('div', { class: 'rc-soft' }, 'What was shown and said was erased on request; its digest stays.') : null,
  line.payload ? el('details', {}, el('summary', {}, 'What was shown and said'), el('pre', { class: 'rc-mono rc-text', tabindex: '0' }, marked(JSON.stringify(line.payload, null, 1)))) : null);

const trailWords = (found) => (found.sound
  ? `${plural(found.lines.length, 'record', 'records')}, each with its own hash and following the one before it.${found.more ? ' There are more.' : ''} The whole log is checked by "assent audit verify".`
  : 'A record was changed after it was written. Stop what depends on it and run "assent audit verify".');

const trailView = (subject) => {
  const holder = el('div', { class: 'tr-holder' });
  const load = async () => {
    fill(holder, el('p', { class: 'rc-soft', role: 'status' }, 'Loading…'));
    const { status, body } = await settled('GET', `/api/trail/${String(subject).split('/').map(encodeURIComponent).join('/')}`);
    if (status !== 200) { fill(holder, el('p', { class: 'rc-problem', role: 'alert' }, marked(body.message))); return; }
    fill(holder, el('p', { class: body.sound ? 'rc-soft' : 'rc-problem', role: body.sound ? 'status' : 'alert' }, trailWords(body)),
      el('ol', { class: 'tr-list', 'aria-label': 'Records' }, body.lines.map(trailRow)));
  };
  const node = el('details', { class: 'tr-trail', on: { toggle: (event) => { if (event.target === node && node.open) load(); } } }, el('summary', {}, 'Audit log'), holder);
  return node;
};
