// Takes an example out of what is taught, with a reason; refuses to do it without one.
const takeOut = (exampleId, onDone) => {
  const holder = el('div', { class: 'rc-takeout' });
  const start = el('button', { type: 'button', class: 'rc-small', on: { click: () => fill(holder, form()) } }, 'Take out');
  const form = () => {
    const id = `rc-takeout-${Math.random().toString(36).slice(2)}`;
    const why = el('input', { id, type: 'text', maxlength: 400 });
    const problem = el('span', { class: 'rc-problem', role: 'alert' });
    const send = async () => {
      if (!why.value.trim()) { problem.textContent = 'Say why.'; why.focus(); return; }
      const { status, body } = await settled('POST', `/api/examples/${encodeURIComponent(exampleId)}/retire`, { reason: why.value.trim() });
      if (status === 200) onDone();
      else problem.textContent = body.message;
    };
    setTimeout(() => why.focus(), 0);
    return [el('label', { for: id }, 'Why should it teach no longer?'), why,
      el('button', { type: 'button', class: 'rc-small', on: { click: send } }, 'Take out'),
      el('button', { type: 'button', class: 'rc-small', on: { click: () => fill(holder, start) } }, 'Keep'), problem];
  };
  return fill(holder, start);
};
