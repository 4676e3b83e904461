// Which oversight mode each type of actions should have, what each costs and what is missing; refuses to keep costs nobody asked to keep.
const advice = element.querySelector('.rc-root');
const status = el('p', { class: 'rc-soft', role: 'status' }, 'Loading…');
const list = el('div', { class: 'ad-list' });
const problem = el('div', { class: 'rc-problem', role: 'alert' });
const keepButton = el('button', { type: 'button', class: 'rv-button', on: { click: () => keep() } }, 'Keep these costs for everybody');
const backButton = el('button', { type: 'button', class: 'rv-button', on: { click: () => load(false) } }, 'Back to the costs that are kept');
const MODE_WORDS = { 'in the loop': 'A person decides before it happens.', 'on the loop': 'It happens, and a person watches who can veto or undo.', automatic: 'It happens, and a small sample is audited.' };
const FIELDS = [
  ...CONSEQUENCE_NAMES.map((name) => ({ id: `wrong-${name}`, label: `One wrong action, ${name}`, read: (costs) => costs.wrong[name], write: (costs, value) => { costs.wrong[name] = value; } })),
  { id: 'reviewer_hour', label: 'An hour of a reviewer' },
  { id: 'waiting_hour', label: 'An hour that one action waits' },
  { id: 'review_seconds', label: 'Seconds of a review, where not measured' },
  { id: 'wait_seconds', label: 'Seconds of waiting, where not measured' },
  { id: 'watched', label: 'On the loop, seen in time (%)', percent: true },
  { id: 'reject_saves', label: 'A rejection saves of an error’s cost (%)', percent: true },
  { id: 'undo_saves', label: 'An undo saves of it (%)', percent: true },
].map((field) => ({ read: (costs) => costs[field.id], write: (costs, value) => { costs[field.id] = value; }, ...field,
  input: el('input', { id: `ad-${field.id}`, type: 'text', inputmode: 'decimal', autocomplete: 'off', maxlength: 14, on: { change: () => load(true) } }) }));

const number = (value, digits = 0) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const between = ([low, high], format) => (format(low) === format(high) ? format(low) : `${format(low)} to ${format(high)}`);
const whole = (value) => number(value);
const few = (value) => number(value, value && value < 10 ? 1 : 0);
const minutes = (value) => (value < 120 ? `${whole(value)} min` : `${number(value / 60, 1)} h`);
const hours = (value) => (value < 2 ? `${whole(value * 60)} min` : `${whole(value)} h`);
const seconds = (value) => (value < 1 ? 'under a second' : value < 120 ? `${few(value)} s` : value < 7200 ? `${whole(value / 60)} min` : `${number(value / 3600, 1)} h`);

const evidence = (one) => [
  one.volume ? `${whole(one.volume)} a month.` : '',
  one.labelled ? `${one.wrong} of ${one.labelled} labelled actions ${one.wrong === 1 ? 'was' : 'were'} wrong, so ${between(one.wrong_share, shortPercent)} of all may be.` : 'No action of it has been labelled.',
  one.certificate ? `Certified: ${shortPercent(one.certificate.coverage)} pass, and at most ${shortPercent(one.certificate.bound)} of that is wrong.` : '',
  one.known ? `Reviewers caught ${one.caught} of ${one.known} known-answer items, so they catch ${between(one.catch_rate, shortPercent)}.` : '',
  one.review_seconds === null ? '' : `A review takes ${seconds(one.review_seconds)}.`,
  one.wait_seconds === null ? '' : `An action waits ${seconds(one.wait_seconds)}.`,
  one.left_out ? `${plural(one.left_out, 'older decision does', 'older decisions do')} not count: model, prompt, policy or schema have changed since.` : '',
].filter(Boolean).join(' ');

const numbers = (mode) => el('dl', { class: 'ad-numbers' }, [
  ['Wrong that stay', between(mode.errors, few)], ['Errors cost', between(mode.error_money, whole)],
  ['Review', minutes(mode.review_minutes)], ['Waiting', hours(mode.waiting_hours)],
  ...(mode.mode === 'in the loop' ? [] : [['At worst, against asking', `${mode.beyond_asking > 0 ? '+' : mode.beyond_asking < 0 ? '−' : ''}${whole(Math.abs(mode.beyond_asking))}`]]),
].map(([term, value]) => el('div', {}, el('dt', {}, term), el('dd', {}, value))));

const bar = ([low, high], most) => {
  const width = (value) => `width: ${most ? Math.max(0.5, (100 * value) / most) : 0}%`;
  return el('div', { class: 'ad-bar', 'aria-hidden': 'true' }, el('span', { class: 'ad-may', style: width(high) }), el('span', { style: width(low) }));
};

const standing = (one, mode, modes) => {
  if (mode === one.mode) return el('span', { class: 'ad-tag' }, 'Advised');
  if (modes.indexOf(mode) > modes.indexOf(one.ceiling_mode)) return el('span', { class: 'rc-soft' }, 'Above its ceiling');
  return one.missing.some((missing) => missing.mode === mode) ? el('span', { class: 'rc-soft' }, 'Evidence is missing') : el('span', { class: 'rc-soft' }, 'Open, but costs more at worst');
};

const modeColumn = (one, modes, most) => (mode) => {
  const missing = one.missing.filter((missed) => missed.mode === mode.mode);
  const closed = modes.indexOf(mode.mode) > modes.indexOf(one.ceiling_mode);
  return el('li', { class: `ad-mode${mode.mode === one.mode ? ' ad-advised' : ''}${closed ? ' ad-closed' : ''}` },
    el('div', { class: 'ad-mode-head' }, el('h4', {}, words(mode.mode)), standing(one, mode.mode, modes)),
    el('p', { class: 'rc-soft' }, MODE_WORDS[mode.mode]),
    el('p', { class: 'ad-money' }, between(mode.money, whole), el('span', { class: 'rc-soft' }, ' per 1,000')), bar(mode.money, most), numbers(mode),
    missing.length ? el('div', { class: 'ad-missing' }, el('h5', {}, 'Missing'), el('ul', {}, missing.map((missed) => el('li', {}, missed.text)))) : null);
};

const typeCard = (modes) => (one, index) => {
  const better = one.missing.filter((missed) => missed.mode === null);
  const id = `ad-type-${index}`;
  return el('section', { class: 'ad-type', 'aria-labelledby': id },
    el('div', { class: 'ad-head' },
      el('h3', { id }, marked(words(one.tool)), one.agent ? el('span', { class: 'rc-soft' }, ' of ', marked(one.agent)) : null),
      el('span', { class: `rv-word rv-word-is-${lookOf(one.consequence)}` }, one.consequence)),
    el('p', {}, `${words(one.reason)}.`), el('p', { class: 'rc-soft' }, evidence(one)),
    el('ul', { class: 'ad-modes', 'aria-label': `What each mode costs per 1,000 actions of ${one.tool}` }, one.expected.map(modeColumn(one, modes, Math.max(...one.expected.map((mode) => mode.money[1]))))),
    better.length ? el('p', { class: 'rc-soft' }, `For better numbers: ${better.map((missed) => missed.text).join('; ')}.`) : null);
};

const given = () => {
  const costs = { wrong: {} };
  for (const field of FIELDS) {
    const text = field.input.value.trim().replace(',', '.');
    if (!/^\d+(\.\d+)?$/.test(text)) { problem.textContent = `${field.label}: write a number from 0 on.`; field.input.focus(); return null; }
    field.write(costs, Number(text) / (field.percent ? 100 : 1));
  }
  return costs;
};

const show = (found) => {
  const { advice: types, modes } = found;
  const counts = modes.map((mode) => [mode, types.filter((one) => one.mode === mode).length]).filter(([, count]) => count);
  const measured = types.some((one) => one.labelled || one.certificate);
  status.textContent = !types.length ? 'Nothing to advise on yet: this desk has no agent with a tool, and nothing was ever proposed. Open it with an agent, or rehearse one with "assent rehearse".'
    : `${measured ? '' : 'Nothing is measured yet: what changes something stays in the loop. '}${counts.map(([mode, count]) => `${count} ${mode}`).join(', ')}. Costs are per 1,000 actions, in your currency.`;
  fill(list, types.map(typeCard(modes)));
  for (const field of FIELDS) if (field.input !== document.activeElement) field.input.value = String(Math.round(field.read(found.costs) * (field.percent ? 100 : 1) * 1e6) / 1e6);
  keepButton.hidden = !found.may_keep;
  keptWords.textContent = found.kept ? 'These are the costs that are kept.' : 'These costs are not kept: they are the defaults, or what you try out.';
};
const keptWords = el('span', { class: 'rc-soft' });

let turn = 0;
const answered = (mine, { status: code, body }) => {
  if (mine !== turn) return;
  if (code !== 200) { problem.textContent = body.message; if (!list.childElementCount) status.textContent = ''; return; }
  problem.textContent = '';
  show(body);
};
const load = async (tried) => {
  const costs = tried ? given() : null;
  if (tried && !costs) return;
  const mine = ++turn;
  answered(mine, await settled('GET', `/api/advice${costs ? `?costs=${encodeURIComponent(JSON.stringify(costs))}` : ''}`));
};
const keep = async () => {
  const costs = given();
  if (!costs) return;
  const mine = ++turn;
  answered(mine, await settled('POST', '/api/advice/costs', costs));
};

fill(advice, el('div', { class: 'rv-head' }, el('h2', {}, 'Advice')),
  el('p', { class: 'ad-what' }, 'Which oversight each type of actions should have, by what an error costs, how many there are and how accurate they were. It changes nothing: policy and certificates do.'),
  status,
  el('details', { class: 'ad-costs' }, el('summary', {}, 'What things cost'),
    el('p', { class: 'rc-soft' }, 'Assumptions until your numbers stand in their place. A change is reckoned at once; nothing is stored unless a lead keeps it.'),
    el('form', { class: 'ad-form', on: { submit: (event) => { event.preventDefault(); load(true); } } },
      FIELDS.map((field) => el('div', {}, el('label', { for: field.input.id }, field.label), field.input)),
      el('div', { class: 'rv-actions ad-doors' }, el('button', { type: 'submit', class: 'rv-button' }, 'Reckon'), backButton, keepButton, keptWords), problem)), list);
load(false);
