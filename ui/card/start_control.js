// Stops everything, an agent or a tool, shows what each stop holds back, and lifts it; refuses to stop by one stray click.
const control = element.querySelector('.rc-root');
const note = el('p', { class: 'rc-soft', role: 'status' }, 'Loading…');
const standing = el('ul', { class: 'rv-list', 'aria-label': 'What is stopped', hidden: true });
const maker = el('div', { class: 'ct-maker', hidden: true });
let known = { agents: [], tools: [] };
let shownStops = '';

const flightRow = (one) => el('li', {}, el('b', {}, marked(words(one.title || one.tool))), el('span', { class: 'rc-soft' }, ` since ${clock(one.since)} in `, marked(one.thread)));

const stopRow = (stop, mayStop) => el('li', {},
  el('div', { class: 'rv-when' }, el('div', {}, clock(stop.at)), el('div', {}, 'by ', el('b', {}, marked(stop.by)))),
  el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, stopWords(stop)), el('div', {}, stopNumbers(stop)),
    stop.in_flight.length ? el('ul', { class: 'ct-flight', 'aria-label': 'In flight' }, stop.in_flight.map(flightRow)) : null,
    mayStop ? el('div', { class: 'rv-actions' }, liftButton(stop, () => {})) : el('div', { class: 'rc-soft' }, 'A lead can lift it.')),
  el('div', {}, wordChip('stopped', ['stopped'])));

const scope = el('select', { id: 'ct-scope', on: { change: () => paintName() } },
  [['all', 'Everything'], ['agent', 'One agent'], ['tool', 'One tool']].map(([value, text]) => el('option', { value }, text)));
const name = el('input', { id: 'ct-name', type: 'text', maxlength: 200, list: 'ct-known', autocomplete: 'off' });
const names = el('datalist', { id: 'ct-known' });
const nameField = el('span', { class: 'rv-pick' }, el('label', { for: 'ct-name' }, 'Name'), name, names);
const why = el('input', { id: 'ct-why', type: 'text', maxlength: 400 });
const problem = el('div', { class: 'rc-problem', role: 'alert' });
const sure = el('p', { id: 'ct-sure-words' });
const dialog = el('dialog', { class: 'ct-sure', 'aria-labelledby': 'ct-sure-title', 'aria-describedby': 'ct-sure-words' },
  el('h2', { id: 'ct-sure-title' }, 'Stop it now?'), sure,
  el('div', { class: 'rv-actions' }, el('button', { type: 'button', class: 'rv-button rv-danger', on: { click: () => stopNow() } }, 'Stop now'),
    el('button', { type: 'button', class: 'rv-button', on: { click: () => dialog.close() } }, 'Back')));

const paintName = () => {
  nameField.hidden = scope.value === 'all';
  fill(names, (scope.value === 'agent' ? known.agents : known.tools).map((one) => el('option', { value: one })));
};
const chosen = () => (scope.value === 'all' ? 'Everything' : `${STOP_SCOPES[scope.value]} ${name.value.trim()}`);
const confirmStop = () => {
  problem.textContent = '';
  if (scope.value !== 'all' && !name.value.trim()) { problem.textContent = `Name the ${scope.value}.`; name.focus(); return; }
  if (!why.value.trim()) { problem.textContent = 'Say why.'; why.focus(); return; }
  fill(sure, marked(`${chosen()} will not start anything, also not what is approved already, until the stop is lifted. What has been started ends by itself.`));
  dialog.showModal();
};
const stopNow = async () => {
  dialog.close();
  const { status, body } = await settled('POST', '/api/stops', { scope: scope.value, name: scope.value === 'all' ? '' : name.value.trim(), reason: why.value.trim() });
  if (status !== 200) { problem.textContent = body.message; return; }
  why.value = '';
  dispatchEvent(new Event('assent:stops'));
};

fill(maker, el('div', { class: 'rv-head' }, el('h2', {}, 'Stop')),
  el('p', { class: 'rc-soft rv-about' }, 'From then on nothing it covers starts, also not what is approved already, until somebody lifts it. What has been started ends by itself.'),
  el('form', { class: 'ct-form', on: { submit: (event) => { event.preventDefault(); confirmStop(); } } },
    el('span', { class: 'rv-pick' }, el('label', { for: 'ct-scope' }, 'What'), scope), nameField,
    el('span', { class: 'rv-pick ct-why' }, el('label', { for: 'ct-why' }, 'Why'), why),
    el('button', { type: 'submit', class: 'rv-button rv-danger' }, 'Stop…'), problem), dialog);
fill(control, maker, el('div', { class: 'rv-head' }, el('h2', {}, 'What is stopped')), standing, note);
paintName();
watchStops((found) => {
  const now = JSON.stringify(found);
  if (now === shownStops) return;
  shownStops = now;
  const { stops, may_stop: mayStop } = found;
  known = { agents: found.agents, tools: found.tools };
  paintName();
  maker.hidden = !mayStop;
  fill(standing, stops.map((stop) => stopRow(stop, mayStop)));
  standing.hidden = !stops.length;
  note.hidden = Boolean(stops.length);
  note.textContent = mayStop ? 'Nothing is stopped.' : 'Nothing is stopped. A lead or an admin can stop everything, one agent or one tool here.';
});
