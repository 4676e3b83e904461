// How one card is laid out, and what is shown when there is none; refuses to put a customer's words above the facts.
const CONSEQUENCES = { read: 'read only', reversible: 'reversible', costly: 'costly', irreversible: 'cannot be undone' };

const consequenceOf = (card) => (card.consequence in CONSEQUENCES ? card.consequence : 'irreversible');

const cardHead = (card) => el('header', { class: 'rc-head' },
  el('div', { class: 'rc-meta' }, el('span', {}, `RQ-${card.number}`),
    el('span', { class: `rc-chip rc-chip-${consequenceOf(card)}` }, CONSEQUENCES[card.consequence] || marked(card.consequence)),
    el('span', {}, 'for ', el('b', {}, marked(card.requester))), el('span', {}, age(card.created)),
    card.due ? el('span', { class: 'rc-due' }, due(card.due)) : null),
  el('h2', { tabindex: '-1' }, marked(words(card.title || card.tool))),
  el('p', { class: 'rc-soft' }, el('code', {}, marked(card.tool)), card.description ? ' · ' : '', marked(card.description || '')));

const cardView = (card, before, mayRetire, onOpen) => {
  const main = el('div', { class: 'rc-main' }, el('div', { class: 'rc-decide' }, facts(card, before, onOpen)), conversationSection(card));
  const side = el('aside', { class: 'rc-side', 'aria-label': 'What speaks for and against it' },
    whySection(card), evidenceSection(card), confidenceSection(card), precedentSection(card, mayRetire));
  return el('article', { class: `rc-card rc-is-${consequenceOf(card)}`, 'aria-label': `RQ-${card.number}`, 'data-review': card.id },
    cardHead(card), el('div', { class: 'rc-columns' }, main, side));
};

const emptyView = (loading, snoozed, wake) => {
  const heading = (text) => el('h2', { tabindex: '-1' }, text);
  if (loading) return el('div', { class: 'rc-empty' }, heading('Loading…'));
  if (snoozed) {
    return el('div', { class: 'rc-empty' }, heading('Only what you snoozed is left'), el('p', { class: 'rc-soft' }, 'Take it up again, or come back later.'),
      keyed('Show what was snoozed', 'S', 'rc-primary', wake));
  }
  return el('div', { class: 'rc-empty' }, heading('Nothing waits for you'),
    el('p', { class: 'rc-soft' }, 'New actions appear here by themselves. To see one being made, write a message in the Playground.'),
    el('a', { class: 'rc-button rc-primary', href: `${basePath()}/playground` }, 'Open the Playground'));
};
