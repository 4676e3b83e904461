// Decisions and what ended without one, newest first, with what each one changed and what became of it.
const HISTORY_WORDS = ['approve', 'edit', 'reject', 'respond', 'withdrawn', 'refused', 'expired', 'superseded', 'cancelled', 'probe'];
const CLOSED_WORDS = {
  expired: 'Nobody decided in time. Nothing ran; the agent was told.',
  superseded: 'It is no longer what the agent would do. Nothing of it ran.',
  cancelled: 'The case was cancelled. Nothing of it ran.',
};

const historyRow = (line) => el('li', {},
  el('div', { class: 'rv-when' }, el('div', {}, clock(line.at)), el('div', {}, line.number ? `RQ-${line.number}` : 'not asked'), el('div', {}, 'by ', el('b', {}, marked(line.who)))),
  el('div', { class: 'rv-body' },
    el('div', { class: 'rv-title' }, marked(words(line.title || line.tool)), el('span', { class: 'rc-soft' }, ' for ', marked(line.requester))),
    line.reason ? el('div', { class: 'rc-text' }, marked(words(line.reason))) : null,
    line.message ? el('div', { class: 'rc-text rc-soft' }, marked(`“${line.message}”`)) : null,
    line.decision in CLOSED_WORDS ? el('div', { class: 'rc-soft' }, CLOSED_WORDS[line.decision]) : null,
    argumentRows(line.args, line.accepted),
    line.result ? el('div', { class: 'rc-soft rc-text' }, 'Result: ', marked(line.result.slice(0, 600))) : null,
    trailView(line.action)),
  el('div', {}, wordChip(line.decision, HISTORY_WORDS), ' ',
    line.outcome ? wordChip(line.outcome, ['succeeded', 'failed', 'unknown', 'undone', 'claimed', 'superseded', 'cancelled', 'probe']) : null));

listView(element.querySelector('.rc-root'), {
  title: 'Decisions', path: '/api/history', field: 'history', row: historyRow, search: true,
  empty: 'Nothing has been decided yet. Decisions appear here as soon as they are made.',
  also: { name: 'automatic', label: 'Also what no person was asked about' },
  extra: [el('a', { class: 'rv-button', href: `${location.pathname}#assent-examples` }, 'Examples'), el('a', { class: 'rv-button', href: `${basePath()}/api/history.jsonl`, download: 'assent-history.jsonl' }, 'Export JSONL')],
});
