// On the loop: what is held and can be vetoed, what ran and can be undone, and what became of it; refuses to hide a deadline.
const OPEN_WORDS = 'Held actions run by themselves when their countdown ends, unless somebody vetoes them. Undoable ones ran without asking anybody.';
const ENDED_WORDS = {
  vetoed: 'Vetoed: it did not run, and the agent was told',
  released: 'Nobody vetoed it; it runs next',
  claimed: 'Is running',
  succeeded: 'Ran, and stands',
  failed: 'Failed: nothing was changed, and the agent was told',
  unknown: 'Started, and nobody knows how it ended; look under Needs a person in the Inbox',
  undone: 'Undone: nothing of it stands',
  undo_failed: 'Could not be undone; it stands as it was done. Put it right by hand if it has to be',
  undo_unknown: 'Nobody knows whether it was undone; look under Needs a person in the Inbox',
};
const watchRoot = element.querySelector('.rc-root');
const openPlace = el('div');
const endedPlace = el('div');
const ended = el('ul', { class: 'rv-list', 'aria-label': 'What became of it', hidden: true });

const remaining = (until, what, over) => ticking(el('div', { class: 'wt-left', role: 'timer' }), (node) => {
  const left = secondsTo(until);
  node.textContent = left > 0 ? `${span(left)} to ${what}` : over;
  node.classList.toggle('wt-urgent', left > 0 && left < 60);
});

const stepIn = (door, line, load) => async (reason) => {
  const { status, body } = await settled('POST', `/api/actions/${encodeURIComponent(line.action)}/${door}`, { reason });
  load();
  return status === 200 ? '' : body.message;
};

const feedRow = (you) => (line, { load }) => {
  const name = words(line.title || line.tool);
  const may = secondsTo(line.until) > 0 && mayDecide(you);
  const countdown = line.kind === 'held' ? remaining(line.until, 'veto', 'begins now') : remaining(line.until, 'undo', 'cannot be undone any more');
  const veto = () => reasonedButton({ label: 'Veto', ask: 'Why must it not run?', confirm: 'Veto it', name: `Veto ${name}`, className: 'rv-danger', send: stepIn('veto', line, load) });
  const undo = () => reasonedButton({ label: 'Undo', ask: 'Why undo it?', confirm: 'Undo it', name: `Undo ${name}`, send: stepIn('undo', line, load) });
  return el('li', { 'data-action': line.action },
    el('div', { class: 'rv-when' }, el('div', {}, clock(line.at)), line.kind === 'undoing' ? null : countdown),
    el('div', { class: 'wt-do' }, wordChip(line.kind, ['held', 'undoable', 'undoing']), may && line.kind === 'held' ? veto() : null, may && line.kind === 'undoable' ? undo() : null),
    el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, marked(name), el('span', { class: 'rc-soft' }, ' for ', marked(line.requester))),
      argumentRows(line.args, null),
      line.result ? el('div', { class: 'rc-soft rc-text' }, 'Result: ', marked(String(line.result).slice(0, 600))) : null,
      trailView(line.action)));
};

const endedRow = (line) => el('li', {},
  el('div', { class: 'rv-when' }, el('div', {}, clock(line.at)), line.by ? el('div', {}, 'by ', el('b', {}, marked(line.by))) : null),
  el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, marked(words(line.title || line.tool)), el('span', { class: 'rc-soft' }, ' for ', marked(line.requester))),
    el('div', { class: 'rc-soft' }, ENDED_WORDS[line.state] || marked(line.state), line.reason ? [': ', marked(line.reason)] : null, '.'),
    argumentRows(line.args, null), line.result ? el('div', { class: 'rc-soft rc-text' }, 'Result: ', marked(String(line.result).slice(0, 600))) : null, trailView(line.action)),
  el('div', {}, wordChip(line.state, ['vetoed', 'released', 'claimed', 'succeeded', 'failed', 'unknown', 'undone'])));

let shownEnded = '';
const showEnded = ({ became }) => {
  const now = JSON.stringify(became);
  if (now === shownEnded) return;
  shownEnded = now;
  fill(ended, became.map(endedRow));
  endedPlace.hidden = !became.length;
  ended.hidden = !became.length;
};

fill(endedPlace, el('div', { class: 'rv-head wt-ended' }, el('h2', {}, 'What became of it')), ended);
endedPlace.hidden = true;
fill(watchRoot, openPlace, endedPlace);
settled('GET', '/api/me').then(({ body: you }) => {
  const load = listView(openPlace, {
    title: 'Watch', about: OPEN_WORDS, path: '/api/feed', field: 'feed', row: feedRow(you), onBody: showEnded,
    empty: 'Nothing is held and nothing can be undone. What runs without being asked about, but under watch, appears here.',
  });
  clearInterval(window.assentWatch);
  window.assentWatch = setInterval(() => { if (document.visibilityState === 'visible' && !element.querySelector('.rv-asking input, details[open]')) load(); }, 5000);
});
