// The list of classes and the page of one class; refuses to show a figure without the number of rows it stands on.
const consequenceChip = (consequence) => (consequence ? el('span', { class: `in-chip in-chip-${lookOf(consequence)}` }, marked(consequence)) : null);

const stateWord = (line) => {
  if (line.suspended) return el('span', { class: 'in-state in-alarm' }, 'suspended');
  if (line.unwatched) return el('span', { class: 'in-state in-alarm' }, 'unwatched');
  if (line.offered) return el('span', { class: 'in-state in-offer' }, 'to be signed');
  if (line.fallen) return el('span', { class: 'in-state in-alarm' }, 'demoted');
  return null;
};

// what asks for somebody comes first; the rest keeps its order
const URGENCY = [(line) => line.suspended, (line) => line.unwatched, (line) => line.offered, (line) => line.fallen, () => true];
const byUrgency = (lines) => [...lines].sort((one, other) => URGENCY.findIndex((asks) => asks(one)) - URGENCY.findIndex((asks) => asks(other)));

const passingWords = ({ proposed, passed, days }) => (proposed ? `${proposed.toLocaleString('en')} in ${days} days, ${passed ? shortPercent(passed / proposed) : 'none'} passed` : `nothing proposed in ${days} days`);

const boundWords = (line) => (line.signed ? `at most ${percent(line.signed.bound, 1)} wrong (n ${line.signed.n})` : line.offered ? `offered: at most ${percent(line.offered.bound, 1)} wrong (n ${line.offered.n})` : 'no certificate');

const classKey = (one) => JSON.stringify([one.agent, one.tool]);

const namedBy = ({ agent, tool, title }) => [marked(agent), toolUnlessTitle(tool, title) ? [' · ', marked(tool)] : ''];

const classLine = (line, chosen, choose) => el('li', {}, el('button', { type: 'button', class: 'in-line', 'aria-pressed': String(classKey(line) === chosen), 'data-class': classKey(line), on: { click: () => choose(line) } },
  el('span', { class: 'in-name' }, el('b', {}, marked(words(line.title || line.tool))), el('span', { class: 'rc-soft' }, namedBy(line))),
  el('span', { class: 'in-level' }, smallLadder(line.level, line.suspended), el('span', {}, levelWords(line.level))),
  el('span', { class: 'in-numbers' }, el('span', {}, passingWords(line.volume)), el('span', { class: 'rc-soft' }, boundWords(line))),
  el('span', { class: 'in-states' }, stateWord(line))));

const signButtons = (insight, signing, you, onDone) => {
  const { to, level, signable } = insight;
  const up = signable ? el('button', { type: 'button', class: 'rv-button sg-go', disabled: !you.may_sign, on: { click: () => promotion(signing, insight, to, onDone) } }, to === level ? `Sign ${LEVELS[to].name} again…` : `Promote to ${LEVELS[to].name}…`) : null;
  const down = level > 0 || !insight.version ? el('button', { type: 'button', class: 'rv-button', disabled: !you.may_sign, on: { click: () => demotion(signing, insight, onDone) } }, 'Demote…') : null;
  return el('div', { class: 'in-sign' }, up, down, you.may_sign ? null : el('span', { class: 'rc-soft' }, you.why_not));
};

const classHead = (insight, buttons) => el('header', { class: 'in-head' },
  el('div', { class: 'in-meta' }, consequenceChip(insight.consequence), el('span', {}, 'agent ', el('b', {}, marked(insight.agent))), el('span', {}, 'tool ', el('b', {}, marked(insight.tool)))),
  el('div', { class: 'in-row' }, el('h3', { tabindex: '-1' }, marked(words(insight.title || insight.tool))), buttons));

const classView = (insight, { signing, you, onDone, said }) => {
  const charts = el('div', { class: 'in-charts' });
  const paint = (width) => fill(charts, figuresView(insight, width));
  const view = el('article', { class: 'in-class', 'aria-label': `Class ${insight.title || insight.tool}` },
    classHead(insight, signButtons(insight, signing, you, onDone)),
    el('div', { class: 'in-said', role: 'status' }, said || ''),
    insight.suspended ? el('p', { class: 'in-suspended' }, el('strong', {}, 'Suspended: everything is reviewed. '), marked(insight.suspended)) : null,
    insight.unwatched ? el('p', { class: 'in-suspended' }, marked(insight.unwatched)) : null,
    riskView(insight), ladderView(insight),
    el('div', { class: 'in-boxes' }, certificateView(insight), missingView(insight), driftView(insight)),
    charts, el('h4', { class: 'in-title' }, 'Level history'), historyView(insight));
  return { view, charts, paint };
};
