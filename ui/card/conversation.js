// One thread as the requester sees it, with what waits for approval; refuses to render markup of any kind.
const chat = element.querySelector('.rc-root');
const list = el('ol', { class: 'cv-list', 'aria-label': 'Conversation', 'aria-live': 'polite' });
const WHO = { requester: 'customer', agent: 'agent', action: 'action', notice: 'notice' };
let last = '';

const turnView = (turn) => el('li', { class: `cv-turn cv-${turn.role in WHO ? turn.role : 'notice'}` },
  el('span', { class: 'cv-who' }, WHO[turn.role] || 'notice', turn.status ? `: ${words(turn.status).toLowerCase()}` : ''),
  marked(turn.role === 'action' ? words(turn.text) : turn.text), turn.result ? el('div', {}, marked(turn.result)) : null);

const waitingView = (item) => el('li', { class: 'cv-waiting' }, el('span', {}, `Waiting for approval RQ-${item.number}: `, marked(words(item.title || item.tool))),
  el('a', { href: `${basePath()}/?review=${encodeURIComponent(item.review)}` }, 'Open in Review'));

const show = () => {
  const value = typeof props.value === 'string' && props.value ? props.value : 'null';
  if (value === last) return;
  last = value;
  const found = JSON.parse(value);
  const turns = found ? found.messages : [];
  fill(list, turns.filter((turn) => turn.status !== 'waiting').map(turnView), found ? found.waiting.map(waitingView) : null,
    found && found.busy ? el('li', { class: 'cv-busy' }, 'The agent is working…') : null,
    !turns.length ? el('li', { class: 'cv-empty' }, found && found.problem ? marked(found.problem) : 'Write as the customer. What the agent wants to do appears here and in Review.') : null);
  list.lastChild.scrollIntoView({ block: 'nearest' });
};
fill(chat, list);
watch('value', show);
show();
