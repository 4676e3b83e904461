// How far the reviewers can be relied on: what they catch with its bound, how far they agree, how fast they are; refuses a rate without its n.
const HEALTH_WORDS = { true: ['relied on', 'rv-word-approve'], false: ['not to be relied on', 'rv-word-reject'], null: ['being measured', 'rv-word-stalled'] };
const ALARM_WORDS = { catch: 'lets too much through', hasty: 'often too fast to have read it', left_out: 'often answers audits with neither right nor wrong' };

const rateOf = (part, whole, none) => (whole ? `${shortPercent(part / whole)} (${part} of ${whole})` : none);

const caughtWords = ({ n, caught, low }) => (n ? `${caught} of ${n}, so at least ${percent(low)}` : 'not measured');

const openWords = ({ contested, unsettled }) => [contested ? `${contested} for a lead to settle` : '', unsettled ? `${unsettled} unsettled` : ''].filter(Boolean);

const agreedWords = ({ pairs, same, kappa }) => (pairs ? `${same} of ${pairs}${kappa === null ? '' : `, kappa ${decimal(kappa)}`}` : 'not measured');

const seconds = (value) => (value === null ? '–' : value < 90 ? `${value.toFixed(0)} s` : `${(value / 60).toFixed(1)} min`);

const reviewerRow = (line, bar) => el('tr', {},
  el('th', { scope: 'row' }, marked(line.name), line.alarms.map((word) => el('span', { class: 'rw-alarm' }, ALARM_WORDS[word] || marked(word)))),
  el('td', {}, String(line.decisions)), el('td', {}, line.approved === null ? '–' : percent(line.approved)), el('td', {}, seconds(line.median_seconds)),
  el('td', {}, rateOf(line.hasty, line.timed, '–')), el('td', {}, rateOf(line.left_out.caught, line.left_out.n, '–')),
  el('td', {}, catchBar(line.catch, bar), [caughtWords(line.catch), ...openWords(line)].join('; ')), el('td', {}, agreedWords(line)), el('td', {}, `${line.sitting_minutes.toFixed(0)} min`));

const catchBar = (found, bar) => {
  if (!found.n) return null;
  const x = linear([0, 1], [2, 118]);
  return sv('svg', { class: 'ch-svg rw-bar', width: 120, height: 16, viewBox: '0 0 120 16', 'aria-hidden': 'true' },
    sv('line', { class: 'ch-grid', x1: 2, x2: 118, y1: 8, y2: 8 }), sv('line', { class: 'ch-line ch-fitted', x1: x(found.low), x2: x(found.high), y1: 8, y2: 8 }),
    MARKS.square('fitted')(x(found.caught / found.n), 8, 3.5), sv('line', { class: 'ch-line ch-alarm', x1: x(bar), x2: x(bar), y1: 1, y2: 15 }));
};

const REVIEWER_COLUMNS = ['Reviewer', 'Decided', 'Approved', 'Median time', 'Hasty', 'Audits left open', 'Known-answer items caught', 'Second looks alike', 'Longest sitting'];

const reviewersTable = (found) => {
  const rows = found.reviewers.map((line) => reviewerRow(line, found.bar ?? 0.8));
  for (const row of rows) [...row.cells].forEach((cell, at) => { cell.dataset.label = REVIEWER_COLUMNS[at]; });
  return el('div', { class: 'rv-scroll', tabindex: '0', role: 'group', 'aria-label': 'Reviewers' },
    el('table', { class: 'rv-table rw-table' }, el('thead', {}, el('tr', {}, REVIEWER_COLUMNS.map((name) => el('th', { scope: 'col' }, name)))), el('tbody', {}, rows)));
};

const healthView = (found) => {
  if (found.why === undefined) return null;
  const [word, look] = HEALTH_WORDS[String(found.healthy)] || HEALTH_WORDS.null;
  const { kappa, pairs } = found.agreement;
  return el('div', { class: 'ev-risk' }, el('div', { class: 'rw-head' }, el('span', { class: `rv-word ${look}` }, word), el('span', { class: 'rc-soft' }, '90 days')),
    el('p', { class: 'ev-sentence' }, marked(found.why)),
    el('p', { class: 'rc-soft' }, pairs ? `Two people looked at ${plural(pairs, 'action', 'actions')}: kappa ${kappa === null ? 'cannot be told, both said one word only' : decimal(kappa)}.` : 'No action was looked at by two people yet, so agreement is not measured.'));
};

const reviewersView = (place) => {
  const heading = el('div', { class: 'rv-head rw-title' }, el('h2', {}, 'How far the reviewers can be relied on'));
  const load = async () => {
    const { status, body } = await settled('GET', '/api/reviewers');
    place.hidden = status === 404;
    if (status !== 200) { fill(place, heading, el('p', { class: 'rv-empty' }, status === 403 ? 'Reviewers see their own line here, leads everybody’s.' : body.message)); return; }
    if (!body.reviewers.length) { fill(place, heading, healthView(body) || el('p', { class: 'rv-empty' }, 'Nobody has decided anything in 90 days, so nothing is known of reviewers.')); return; }
    fill(place, heading, healthView(body), reviewersTable(body),
      el('p', { class: 'rc-soft rw-note' }, 'Hasty: consequential actions decided faster than their cards can be read. Caught: known-answer items that are wrong and were not let through, with a 90% interval (Clopper-Pearson); the line is what is asked for. An answer that differs from the known one counts once a lead has said who is right; unsettled: nobody said so in three days, or could, and it counts as a miss.'));
  };
  return load;
};
