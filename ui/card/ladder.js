// The five levels of autonomy as a ladder: where a class stands, what each level lets run, and how it came there.
const LEVELS = [
  { name: 'shadow', what: 'The agent proposes and people decide, and nothing runs.' },
  { name: 'supervised', what: 'Every action is reviewed before it runs.' },
  { name: 'certified', what: 'What is confident enough runs without a person; a fifth of it is audited.' },
  { name: 'monitored', what: 'The same under a looser promise, with time to veto or undo; a tenth is audited.' },
  { name: 'sampled', what: 'What passes is audited by a small sample only.' },
];

const levelWords = (level) => (LEVELS[level] ? `L${level} ${LEVELS[level].name}` : `L${level}`);

const smallLadder = (level, suspended) => el('span', { class: `ld-small${suspended ? ' ld-suspended' : ''}`, 'aria-hidden': 'true' },
  LEVELS.map((_, step) => el('i', { class: `ld-step-${step}${step <= level ? ' ld-on' : ''}` })));

const ladderView = (insight) => el('ol', { class: 'ld-ladder', 'aria-label': 'Levels of autonomy' }, LEVELS.map(({ name, what }, step) => {
  const here = step === insight.level;
  const offered = insight.signable && insight.to === step && step > insight.level;
  const said = here ? (insight.suspended ? 'suspended' : `here${insight.since ? ` since ${clock(insight.since)}` : ''}`) : offered ? 'to be signed' : '';
  return el('li', { class: `${here ? 'ld-here' : ''}${step < insight.level ? ' ld-below' : ''}${offered ? ' ld-offered' : ''}`, 'aria-current': here ? 'step' : null },
    el('b', {}, `L${step} ${words(name)}`), el('span', { class: 'rc-soft' }, what), said ? el('span', { class: 'ld-said' }, said) : null);
}));

const MACHINES = { monitor: 'the monitor', key: 'a change of its key', reviewers: 'reviewer health', critical: 'a critical error' };

const stepRow = (step) => {
  const up = step.after > step.before;
  const frozen = evidenceSentences(step.evidence || {}).map((text) => el('li', {}, marked(text)));
  return el('li', {},
    el('div', { class: 'rv-when' }, el('div', {}, clock(step.at)), el('div', {}, 'by ', el('b', {}, marked(MACHINES[step.by] || step.by)))),
    el('div', { class: 'rv-body' },
      el('div', { class: 'rv-title' }, `${levelWords(step.before)} → ${levelWords(step.after)}`),
      step.reason ? el('div', { class: 'rc-text' }, marked(step.reason)) : null,
      frozen.length ? el('details', {}, el('summary', {}, up ? 'The evidence, as it was signed' : 'The evidence at that moment'), el('ul', { class: 'ev-frozen' }, frozen)) : null),
    el('div', {}, el('span', { class: `rv-word ${up ? 'rv-word-approve' : step.after === step.before ? 'rv-word-stalled' : 'rv-word-reject'}` }, up ? 'promoted' : step.after === step.before ? 'changed' : 'demoted')));
};

const historyView = (insight) => (insight.history.length
  ? el('ul', { class: 'rv-list', 'aria-label': 'Level history' }, insight.history.map(stepRow))
  : el('p', { class: 'rv-empty' }, 'Its level was never changed: every class begins supervised.'));
