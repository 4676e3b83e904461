// Holds every decision until the desk acknowledges it and sends it again with the same key; refuses to lose one.
const OUTBOX_KEY = 'assent:unsent';
const PATIENCE = 5;
const GIVEN_UP = { status: 500, body: { error: 'failing', message: 'The desk failed on this decision several times. Look in History whether it counts, then decide again.' } };

const newKey = () => (crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(''));

const outbox = ({ holding, onReply, onTrouble, onClear }) => {
  let owner = '';
  let waiting = [];
  let sending = false;
  let failures = 0;
  let timer = 0;
  const keep = () => {
    try {
      if (waiting.length) sessionStorage.setItem(OUTBOX_KEY, JSON.stringify({ owner, waiting }));
      else sessionStorage.removeItem(OUTBOX_KEY);
    } catch (problem) { /* a full or forbidden storage costs only the safety net */ }
  };
  const trouble = (problem) => {
    failures += 1;
    onTrouble(problem instanceof SignedOut ? 'signed out' : 'unreachable', waiting.length);
    clearTimeout(timer);
    timer = setTimeout(drain, Math.min(10000, 500 * 2 ** Math.min(failures, 5)));
  };
  const countFailure = () => {
    const [entry] = waiting;
    entry.failures = (entry.failures || 0) + 1;
    if (entry.failures < PATIENCE) return;
    waiting = waiting.slice(1);
    keep();
    onReply(entry, GIVEN_UP);
  };
  const drain = async () => {
    if (sending) return;
    sending = true;
    clearTimeout(timer);
    try {
      while (waiting.length) {
        const entry = waiting[0];
        const body = { ...entry.body, holding: holding() };
        const reply = await call('POST', `/api/reviews/${encodeURIComponent(entry.id)}/decision`, body);
        if (failures) onClear();
        failures = 0;
        waiting = waiting.filter((other) => other !== entry);
        keep();
        onReply(entry, reply);
      }
    } catch (problem) {
      if (![SignedOut, Unreachable, Failing].some((kind) => problem instanceof kind)) console.error(problem);
      if (problem instanceof Failing) countFailure();
      trouble(problem);
    } finally {
      sending = false;
    }
  };
  addEventListener('online', drain);
  addEventListener('beforeunload', (event) => { if (waiting.length) event.preventDefault(); });
  return {
    open(user) {
      owner = user;
      try {
        const saved = JSON.parse(sessionStorage.getItem(OUTBOX_KEY) || 'null');
        if (saved && saved.owner === owner) waiting = saved.waiting;
      } catch (problem) { waiting = []; }
      keep();
      drain();
    },
    put(entry) {
      waiting.push(entry);
      keep();
      drain();
    },
    takeBack(entry) {
      const at = waiting.indexOf(entry);
      if (at < 0 || (at === 0 && sending)) return false;
      waiting.splice(at, 1);
      keep();
      return true;
    },
    waiting: () => waiting,
    drain,
  };
};
