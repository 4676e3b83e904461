// How one card is laid out, and what is shown when there is none; refuses to put a customer's words above the facts.
const cardHead = (card) => el('header', { class: 'rc-head' },
  el('div', { class: 'rc-meta' }, el('span', {}, `RQ-${card.number}`),
    el('span', { class: `rc-chip rc-chip-${lookOf(card.consequence)}` }, marked(card.consequence)),
    el('span', {}, 'for ', el('b', {}, marked(card.requester))), el('span', {}, age(card.created)),
    card.due ? ticking(el('span', {}), (node) => { node.textContent = due(card.due); node.className = isDueSoon(card) ? 'rc-due rc-due-soon' : 'rc-due'; }) : null),
  el('h2', { tabindex: '-1' }, marked(words(card.title || card.tool))),
  el('p', { class: 'rc-soft' }, el('code', {}, marked(card.tool)), card.description ? ' · ' : '', marked(card.description || '')));

const changedView = (card, before) => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(card.shown)])].filter((name) => shownText(before[name]) !== shownText(card.shown[name]));
  return el('div', { class: 'rc-changed', role: 'alert' }, el('strong', {}, 'This changed while you looked.'),
    names.length ? ' Old is struck out, new is underlined. Look again before you decide.' : ' The arguments are the same; what is asked about them is not. Look again before you decide.',
    el('dl', {}, names.map((name) => el('div', {}, el('dt', {}, marked(words(name))), el('dd', {}, diffView(shownText(before[name]), shownText(card.shown[name])))))));
};

const cardView = (card, before, standing, mayRetire, onOpen) => {
  const struck = before || card.proposed_shown || null;
  const main = el('div', { class: 'rc-main' }, el('div', { class: 'rc-decide' }, facts(card, struck, onOpen)), conversationSection(card));
  const side = el('aside', { class: 'rc-side', 'aria-label': 'What speaks for and against it' },
    whySection(card), evidenceSection(card), confidenceSection(card), precedentSection(card, mayRetire), trailView(card.id));
  return el('article', { class: `rc-card rc-is-${lookOf(card.consequence)}`, 'aria-label': `RQ-${card.number}`, 'data-review': card.id },
    cardHead(card), standing, before ? changedView(card, before) : null, el('div', { class: 'rc-columns' }, main, side));
};

const emptyView = (loading, skipped, takeUp) => {
  const heading = (text) => el('h2', { tabindex: '-1' }, text);
  if (loading) return el('div', { class: 'rc-empty' }, heading('Loading…'));
  if (skipped) {
    return el('div', { class: 'rc-empty' }, heading('Only what you passed over is left'), el('p', { class: 'rc-soft' }, 'Take it up again, or come back later.'),
      keyed('Show what was passed over', 'N', 'rc-primary', takeUp));
  }
  return el('div', { class: 'rc-empty' }, heading('Nothing waits for you'),
    el('p', { class: 'rc-soft' }, 'New actions appear here by themselves. To see one being made, write a message in the Playground.'),
    el('a', { class: 'rc-button rc-primary', href: `${basePath()}/playground` }, 'Open the Playground'));
};
