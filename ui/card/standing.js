// Where a review stands: who approved, until when, who works on it, and why the reader cannot decide; refuses to leave any of it out.
const WARNED_SECONDS = 600;

const mayDecide = (you) => ['operator', 'lead', 'admin'].includes(you.role);
const isLead = (you) => ['lead', 'admin'].includes(you.role);

const heldByOther = (card, you) => Boolean(card.holder) && card.holder !== you.name && secondsTo(card.held_until) > 0;

const isExpired = (card) => Boolean(card.due) && secondsTo(card.due) <= 0;

const isDueSoon = (card) => Boolean(card.due) && (secondsTo(card.due) <= WARNED_SECONDS || (Boolean(card.warn) && secondsTo(card.warn) <= 0));

const whyNot = (card, you) => {
  if (isExpired(card)) return 'This review has expired; nothing of it will run. Press N for the next one.';
  if (heldByOther(card, you)) return `${card.holder} works on this card. Press N for the next one.`;
  if (card.blocked) return card.blocked;
  return '';
};

const addressee = (to) => (to.startsWith('role:') ? `every ${to.slice(5)}` : to.replace(/^user:/, ''));

const approvalsLine = (card) => {
  if (card.quorum < 2 && !card.approvals.length) return null;
  const pips = el('span', { class: 'rc-pips', 'aria-hidden': 'true' },
    Array.from({ length: Math.min(9, card.quorum) }, (_, at) => el('i', { class: at < card.approvals.length ? 'rc-pip-full' : '' })));
  const names = card.approvals.map((one, at) => [at ? ', ' : '', el('b', {}, marked(one.actor))]);
  const missing = Math.max(0, card.quorum - card.approvals.length);
  const so = card.approvals.length ? [`${card.approvals.length} of ${card.quorum} approved: `, ...names] : [`0 of ${card.quorum} approved`];
  return el('li', { class: 'rc-approvals' }, pips, el('span', {}, so, missing ? `. ${plural(missing, 'more person has', 'more people have')} to approve.` : '.'));
};

const roleLine = (card) => {
  const needs = card.role && card.role !== 'operator' ? ['Needs the role ', el('b', {}, marked(card.role)), '. '] : [];
  const called = card.escalated_to ? ['Escalated to ', el('b', {}, marked(addressee(card.escalated_to))), '.'] : [];
  return needs.length + called.length ? el('li', {}, el('span', {}, needs, called)) : null;
};

const dueLine = (card, you, doors) => {
  if (!isDueSoon(card)) return null;
  if (isExpired(card)) return el('li', { class: 'rc-standing-alarm' }, `Expired at ${clock(card.due)}. Nothing of it will run.`);
  return el('li', { class: 'rc-standing-warn' }, el('span', {}, `Decide before ${clock(card.due)}; after that it expires and nothing runs.`),
    isLead(you) ? el('button', { type: 'button', class: 'rc-small', on: { click: doors.extend } }, 'Extend (D)') : null);
};

const holderLine = (card, you, doors) => (heldByOther(card, you)
  ? el('li', { class: 'rc-standing-warn' }, el('span', {}, el('b', {}, marked(card.holder)), ` works on this card, at least until ${clock(card.held_until)}.`),
    isLead(you) ? el('button', { type: 'button', class: 'rc-small', on: { click: doors.takeOver } }, 'Take over (K)') : null)
  : null);

const snoozedLine = (card, doors) => (card.snoozed_until && secondsTo(card.snoozed_until) > 0
  ? el('li', {}, el('span', {}, `Snoozed until ${clock(card.snoozed_until)}.`),
    el('button', { type: 'button', class: 'rc-small', on: { click: doors.wake } }, 'Take it up now'))
  : null);

const standingView = (card, you, doors) => {
  const lines = [
    card.blocked && !heldByOther(card, you) && !isExpired(card) ? el('li', { class: 'rc-standing-alarm' }, marked(card.blocked)) : null,
    approvalsLine(card),
    card.edited_by ? el('li', {}, el('span', {}, 'Edited by ', el('b', {}, marked(card.edited_by)), '. What is asked about is the edit; what the agent proposed is struck out below.')) : null,
    roleLine(card),
    holderLine(card, you, doors), dueLine(card, you, doors), snoozedLine(card, doors),
  ].filter(Boolean);
  return el('ul', { class: 'rc-standing', 'aria-label': 'Where this stands', hidden: !lines.length }, lines);
};

const gone = (card) => {
  const why = card.close_reason ? `: ${card.close_reason}` : '';
  const said = { expired: 'expired; nothing of it will run', superseded: 'was superseded by something newer', cancelled: 'was cancelled' };
  return `RQ-${card.number} ${said[card.status] || `is no longer pending (${card.status})`}${why}`.replace(/\.?$/, '.');
};
