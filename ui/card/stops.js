// What is stopped, in words, and how a lead lifts it; refuses to do so without a reason.
const STOP_SCOPES = { all: 'Everything', agent: 'The agent', tool: 'The tool' };

const stopWords = (stop) => [el('strong', {}, STOP_SCOPES[stop.scope] || marked(stop.scope), stop.name ? [' ', marked(stop.name)] : null, ' is stopped'),
  ` since ${clock(stop.at)} by `, marked(stop.by), stop.reason ? [': ', marked(String(stop.reason).replace(/\.+$/, ''))] : null, '.'];

const stopNumbers = (stop) => {
  const flying = stop.in_flight.length;
  const going = flying ? `${plural(flying, 'action was', 'actions were')} started before and will end by ${flying === 1 ? 'itself' : 'themselves'}` : 'Nothing is in flight';
  return `${going}; ${stop.waiting ? `${stop.waiting >= 1000 ? '1000+ cases wait' : plural(stop.waiting, 'case waits', 'cases wait')} for it to be lifted` : 'no case waits for it so far'}.`;
};

const reasonedButton = ({ label, ask, confirm, name, className, send }) => {
  const holder = el('div', { class: 'rv-asking' });
  const start = el('button', { type: 'button', class: `rv-button ${className || ''}`, 'aria-label': name, on: { click: () => fill(holder, form()) } }, label);
  const form = () => {
    const id = `rv-why-${Math.random().toString(36).slice(2)}`;
    const why = el('input', { id, type: 'text', maxlength: 400 });
    const problem = el('span', { class: 'rc-problem', role: 'alert' });
    let sending = false;
    const go = async () => {
      if (!why.value.trim()) { problem.textContent = 'Say why.'; why.focus(); return; }
      if (sending) return;
      sending = true;
      const failed = await send(why.value.trim());
      sending = false;
      if (failed) problem.textContent = failed;
    };
    why.addEventListener('keydown', (event) => { if (event.key === 'Enter') go(); else if (event.key === 'Escape') back(); });
    setTimeout(() => why.focus(), 0);
    return el('div', { class: 'rv-actions' }, el('label', { for: id }, ask), why,
      el('button', { type: 'button', class: `rv-button ${className || ''}`, on: { click: go } }, confirm || label),
      el('button', { type: 'button', class: 'rv-button', on: { click: () => back() } }, 'Back'), problem);
  };
  const back = () => { fill(holder, start); start.focus(); };
  return fill(holder, start);
};

const liftButton = (stop, onDone) => reasonedButton({
  label: 'Lift', ask: 'Why may it go on?', confirm: 'Lift this stop', name: `Lift the stop of ${stop.name || 'everything'}`,
  send: async (reason) => {
    const { status, body } = await settled('POST', `/api/stops/${encodeURIComponent(stop.id)}/lift`, { reason });
    if (status === 200) { dispatchEvent(new Event('assent:stops')); onDone(body); return ''; }
    return body.message;
  },
});

const watchStops = (onStops) => {
  let turn = 0;
  const load = async () => {
    const mine = ++turn;
    const { status, body } = await settled('GET', '/api/stops');
    if (mine === turn && status === 200) onStops(body);
  };
  addEventListener('assent:stops', load);
  const timer = setInterval(() => {
    if (!element.isConnected) { clearInterval(timer); removeEventListener('assent:stops', load); } else if (document.visibilityState === 'visible') load();
  }, 10000);
  load();
  return load;
};
