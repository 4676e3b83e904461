// Executions whose end only a person can state, and cases that cannot go on.
const taskRow = (task, { load, show }) => {
  const id = `rv-note-${Math.random().toString(36).slice(2)}`;
  const note = el('input', { type: 'text', id, maxlength: 4000 });
  const problem = el('span', { class: 'rc-problem', role: 'alert' });
  const settle = async (outcome) => {
    const { status, body } = await settled('POST', `/api/tasks/${encodeURIComponent(task.action)}`, { outcome, note: note.value.trim() });
    if (status === 200) show(body.tasks);
    else problem.textContent = body.message;
  };
  const button = (label, outcome) => el('button', { type: 'button', class: 'rv-button', on: { click: () => settle(outcome) } }, label);
  return el('li', {},
    el('div', { class: 'rv-when' }, age(task.since)),
    el('div', { class: 'rv-body' }, el('div', { class: 'rv-title' }, marked(task.title || words(task.tool))), el('div', { class: 'rc-text' }, marked(task.text)),
      argumentRows(task.args, null),
      task.action && task.kind !== 'stalled' ? el('div', { class: 'rv-actions' }, el('label', { for: id }, 'Note'), note,
        button('Mark done (ran by hand)', 'done'), button('Mark not done', 'not_done'), problem) : null),
    el('div', {}, wordChip(task.kind, ['unknown', 'failed', 'stalled'])));
};

const reloadTasks = listView(element.querySelector('.rc-root'), {
  title: 'Needs a person', path: '/api/tasks', field: 'tasks', row: taskRow,
  empty: 'Nothing is stuck. Actions whose outcome is unknown would be listed here.',
});
