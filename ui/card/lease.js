// Tells the desk which card is being worked on and hears what became of it meanwhile; refuses to hold a card nobody looks at.
const RENEW_MS = 10000;
const CALM_MS = 250;

const cardLease = ({ may, onNews }) => {
  let card = null;
  let held = '';
  let timer = 0;
  let queueing = Promise.resolve();
  const path = (id, door) => `/api/reviews/${encodeURIComponent(id)}/${door}`;
  const inTurn = (work) => { queueing = queueing.then(work, work); return queueing; };
  const again = (soon) => { clearTimeout(timer); if (card) timer = setTimeout(() => ask(), soon ? CALM_MS : RENEW_MS); };
  const ask = (over = false) => inTurn(async () => {
    const asked = card;
    if (!asked || !may() || document.visibilityState !== 'visible') return;
    held = asked.id; // before the answer, so that whoever leaves meanwhile gives it back
    const { status, body } = await settled('POST', path(asked.id, 'take'), { version: asked.version, digest: asked.digest, over });
    if (!(status === 200 && body.lease) && held === asked.id) held = '';
    if (card && card.id === asked.id) { again(false); if (status) onNews(asked, status, body, over); }
  });
  const giveBack = () => {
    const id = held;
    held = '';
    if (id) inTurn(() => settled('POST', path(id, 'release'), {}));
  };
  addEventListener('pagehide', () => {
    if (!held) return;
    fetch(basePath() + path(held, 'release'), { method: 'POST', credentials: 'same-origin', keepalive: true, headers: { 'content-type': 'application/json' }, body: '{}' });
    held = '';
  });
  document.addEventListener('visibilitychange', () => again(true));
  return {
    show(next) {
      if (card && next && card.id === next.id) { card = next; return; }
      if (card && held === card.id) giveBack();
      card = next;
      again(true);
    },
    decided(id) { if (held === id) held = ''; },
    takeOver: () => ask(true),
  };
};
