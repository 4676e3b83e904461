// Executions whose end only a person can state, and cases that cannot go on.
const taskRow = (task, { show }) => {
  const id = `rv-note-${Math.random().toString(36).slice(2)}`;
  const note = el('input', { type: 'text', id, maxlength: 4000 });
  const problem = el('span', { class: 'rc-problem', role: 'alert' });
  const send = async (path, request) => {
    const { status, body } = await settled('POST', path, request);
    if (status === 200) show(body.tasks);
    else problem.textContent = body.message;
  };
  const button = (label, handler) => el('button', { type: 'button', class: 'rv-button', on: { click: handler } }, label);
  const settle = (outcome) => send(`/api/tasks/${encodeURIComponent(task.action)}`, { outcome, note: note.value.trim() });
  const thread = String(task.thread).split('/').map(encodeURIComponent).join('/');
  const ways = task.kind === 'stalled'
    ? [button('Try again', () => send(`/api/cases/${thread}/retry`, {})), button('Cancel the case', () => send(`/api/cases/${thread}/cancel`, {}))]
    : [el('label', { for: id }, 'Note'), note, button('Mark done (ran by hand)', () => settle('done')), button('Mark not done', () => settle('not_done'))];
  return el('li', {},
    el('div', { class: 'rv-when' }, age(task.since)),
    el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, marked(words(task.title || task.tool))), el('div', { class: 'rc-text' }, marked(task.text)),
      argumentRows(task.args, null), el('div', { class: 'rv-actions' }, ways, problem)),
    el('div', {}, wordChip(task.kind, ['unknown', 'failed', 'stalled'])));
};

listView(element.querySelector('.rc-root'), {
  title: 'Needs a person', path: '/api/tasks', field: 'tasks', row: taskRow,
  empty: 'Nothing is stuck. Actions whose outcome is unknown would be listed here.',
});
