// The sections of one card; facts come from the desk, and what customer or agent wrote is shown as untrusted text.
const FOLD_LINES = 12;
const FOLD_CHARACTERS = 1200;

const folded = (text, onOpen, lineLimit = FOLD_LINES, characterLimit = FOLD_CHARACTERS) => {
  const lines = text.split('\n');
  if (lines.length <= lineLimit && text.length <= characterLimit) return el('div', { class: 'rc-text' }, marked(text));
  const head = lines.slice(0, Math.ceil(lineLimit * 0.7)).join('\n').slice(0, Math.ceil(characterLimit * 0.7));
  const hiddenLines = lines.length - head.split('\n').length;
  const amount = hiddenLines > 0 ? plural(hiddenLines, 'more line', 'more lines') : plural(text.length - head.length, 'more character', 'more characters');
  const body = el('div', { class: 'rc-text' }, marked(head));
  const open = () => {
    fill(body, marked(text));
    body.classList.add('rc-open');
    body.setAttribute('tabindex', '0');
    button.remove();
    if (onOpen) onOpen();
  };
  const button = el('button', { type: 'button', class: 'rc-small rc-fold', on: { click: open } }, `Show ${amount}`);
  return el('div', { class: 'rc-folded', 'data-folded': 'yes' }, body, button);
};

const section = (title, className, ...children) => {
  const heading = el('h3', {}, title);
  return el('section', { class: `rc-section ${className}` }, heading, ...children);
};

const factRow = (card, name, before, onOpen) => {
  const schema = resolved(((card.schema || {}).properties || {})[name] || {}, card.schema || {});
  const shown = card.shown[name];
  const value = el('dd', { class: shown.kind !== 'text' ? 'rc-mono' : shown.text.length > 60 ? 'rc-long' : '' });
  if (shown.kind === 'text' && shown.text === '') value.append(el('span', { class: 'rc-soft' }, 'empty'));
  else value.append(folded(shown.text, onOpen));
  if (before && shownText(before[name]) !== shown.text) value.append(el('div', { class: 'rc-change' }, diffView(shownText(before[name]), shown.text)));
  if (hasHidden(shown.text)) value.append(el('div', { class: 'rc-warning' }, 'Holds characters that cannot be seen.'));
  return el('div', { class: 'rc-fact' }, el('dt', {}, marked(labelOf(schema, name))), value);
};

const removedRow = (card, name, before) => el('div', { class: 'rc-fact' }, el('dt', {}, marked(labelOf({}, name))),
  el('dd', {}, el('div', { class: 'rc-change' }, diffView(shownText(before[name]), '')), el('div', { class: 'rc-soft' }, 'left out now')));

const facts = (card, before, onOpen) => {
  const names = fieldNames(card).filter((name) => name in card.args);
  if (!names.length) return el('p', { class: 'rc-soft' }, 'This action takes no details.');
  const removed = before ? Object.keys(before).filter((name) => !(name in card.args)) : [];
  return el('dl', { class: 'rc-facts' }, names.map((name) => factRow(card, name, before, onOpen)), removed.map((name) => removedRow(card, name, before)));
};

const asking = (reasons) => [...reasons.filter(({ ruling }) => ruling === 'review'), ...reasons.filter(({ ruling }) => ruling !== 'review')];

const whySection = (card) => section('Why you are asked', 'rc-why', card.reasons.length
  ? el('ul', {}, asking(card.reasons).map((reason) => el('li', {},
    el('div', { class: 'rc-text' }, marked(reason.text)),
    el('div', { class: 'rc-soft' }, 'Check: ', marked(words(reason.check).toLowerCase()), reason.ruling === 'review' ? '' : [' · ', marked(reason.ruling)]))))
  : el('p', { class: 'rc-soft' }, 'No reason was recorded. Treat this with care.'));

const evidenceSection = (card) => section('Evidence', 'rc-evidence', card.evidence.length
  ? card.evidence.map((item) => el('figure', {},
    el('blockquote', {}, folded(String(item.text))),
    el('figcaption', { class: 'rc-soft' }, marked(item.source), item.at ? `, ${clock(item.at)}` : '')))
  : el('p', { class: 'rc-soft' }, 'This tool has no dry run, so nothing was checked beforehand.'));

const share = (value) => (typeof value === 'number' ? value.toFixed(2) : 'missing');

const pretty = (raw) => (typeof raw === 'string' ? raw : JSON.stringify(raw, null, 1));

const signalRow = (signal) => el('li', {},
  el('div', { class: 'rc-signal' }, el('span', {}, marked(words(signal.signal))), el('b', {}, share(signal.value)),
    el('span', { class: 'rc-soft' }, signal.gates ? 'counts' : 'only shown')),
  el('details', {}, el('summary', {}, 'Raw'), el('pre', { class: 'rc-mono rc-text', tabindex: '0' }, marked(pretty(signal.raw)))));

const certificateLine = (card, found) => el('p', { class: 'rc-soft rc-certificate' },
  `As certified for this class, not the model’s own word. From ${share(found.threshold)} up it passes without a person, under the `,
  el('a', { href: `${basePath()}/insights#${encodeURIComponent(JSON.stringify([card.agent, card.tool]))}` }, 'certificate'), ' ', el('code', {}, marked(found.certificate.slice(0, 13))), '.');

const confidenceSection = (card) => {
  const found = card.confidence;
  if (!found) return section('Confidence', 'rc-confidence', el('p', { class: 'rc-soft' }, 'Not assessed: a rule asked for a person before any signal was read.'));
  const level = typeof found.value === 'number' ? Math.max(0, Math.min(1, found.value)) : 0;
  const limit = typeof found.threshold === 'number' ? found.threshold : null;
  const bar = el('div', { class: 'rc-bar', 'aria-hidden': 'true' }, el('i'), limit === null ? null : el('b'));
  bar.firstChild.style.width = `${level * 100}%`;
  if (limit !== null) bar.lastChild.style.left = `${limit * 100}%`;
  const verdict = limit === null || typeof found.value !== 'number' ? '' : `, ${found.value < limit ? 'under' : 'at or over'} the threshold ${limit.toFixed(2)}`;
  return section('Confidence', 'rc-confidence',
    el('p', {}, el('strong', {}, share(found.value)), ` ${found.certified ? 'certified' : 'uncertified'}${verdict}`), bar,
    found.certified ? certificateLine(card, found) : null,
    el('ul', { class: 'rc-signals', 'aria-label': 'Signals' }, (found.signals || []).map(signalRow)));
};

const argumentLine = (args) => Object.entries(args || {}).map(([name, value]) => `${words(name)}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' · ');

const PRECEDENTS_SHOWN = 3;
const TAUGHT = { approve: 'approved', edit: 'edited', reject: 'rejected', respond: 'answered' };

const precedentItem = (precedent, mayRetire) => {
  const item = el('li', {},
    el('blockquote', {}, folded(String(precedent.text), null, 6, 280)),
    el('div', { class: 'rc-soft' }, marked(`${words(precedent.tool)} · ${argumentLine(precedent.args)}`)),
    el('div', { class: 'rc-soft' }, marked(TAUGHT[precedent.decision] || precedent.decision || 'decided'), ' by ', marked(precedent.by || 'somebody'),
      ` · similarity ${share(precedent.similarity)}`));
  if (mayRetire()) item.append(takeOut(precedent.example_id, () => item.remove()));
  return item;
};

const precedentSection = (card, mayRetire) => {
  if (!card.precedents.length) return null;
  const items = card.precedents.map((precedent) => precedentItem(precedent, mayRetire));
  const rest = items.slice(PRECEDENTS_SHOWN);
  return section('Similar past decisions', 'rc-precedents', el('ul', {}, items.slice(0, PRECEDENTS_SHOWN)),
    rest.length ? el('details', {}, el('summary', {}, `${rest.length} more`), el('ul', {}, rest)) : null);
};

const SPEAKERS = { requester: 'customer', agent: 'agent', action: 'action' };

const conversationSection = (card) => {
  const latest = card.conversation.slice(-12);
  return section('What the customer and the agent wrote (not checked)', 'rc-conversation', latest.length
    ? latest.map((turn) => el('div', { class: `rc-turn rc-turn-${SPEAKERS[turn.role] || 'other'}` },
      el('div', { class: 'rc-speaker' }, SPEAKERS[turn.role] || 'other'), folded(String(turn.text))))
    : el('p', { class: 'rc-soft' }, 'Nothing was written.'));
};
