// The edit form as one object: fields, per-field diff, problems, and what changed; refuses to send an unchanged field.
const fieldNames = (card) => {
  const known = Object.keys((card.schema || {}).properties || {});
  return [...known, ...Object.keys(card.args).filter((name) => !known.includes(name))];
};

const newField = (card, name, index) => {
  const schema = resolved(((card.schema || {}).properties || {})[name] || {}, card.schema || {});
  const field = {
    name, schema, kind: fieldKind(schema), id: `rc-field-${card.number}-${index}`,
    present: name in card.args, original: card.args[name], text: shownText(card.shown[name]),
    required: ((card.schema || {}).required || []).includes(name),
  };
  field.value = () => {
    const read = readField(field);
    return read.json === undefined ? undefined : JSON.parse(read.json);
  };
  return field;
};

const newText = (field, read) => (field.kind === 'json' || field.kind === 'number' || field.kind === 'integer' || typeof JSON.parse(read.json) !== 'string'
  ? read.json : JSON.parse(read.json));

const changeOf = (field) => {
  const read = readField(field);
  if (read.problem) return read;
  if (read.absent) return field.present ? { removed: true } : {};
  const untouched = field.control.value === (field.first ?? '');
  if (untouched && field.present) return {};
  if (field.present && field.kind !== 'json' && newText(field, read) === field.text) return {};
  return { json: read.json, text: newText(field, read) };
};

const editForm = (card, onChange) => {
  const form = { choices: card.choices, fields: [], node: el('div', { class: 'rc-form' }) };
  const refresh = () => {
    for (const field of form.fields) {
      const change = changeOf(field);
      const text = change.removed ? '' : change.text;
      fill(field.diff, text === undefined ? null : diffView(field.text, text));
      field.diff.hidden = text === undefined;
      field.clean.hidden = field.control.tagName === 'SELECT' || !hasHidden(field.control.value);
      field.warning.hidden = field.clean.hidden;
      if (!field.clean.hidden) fill(field.warning, marked(field.control.value));
    }
    onChange();
  };
  const rebuildLater = (changed) => {
    for (const field of form.fields.slice(form.fields.indexOf(changed) + 1)) {
      if (form.choices && form.choices.some((choice) => field.name in choice)) place(field);
    }
  };
  const place = (field) => {
    const control = controlFor(field, form);
    control.addEventListener('input', () => {
      tell(field, '');
      rebuildLater(field);
      refresh();
    });
    if (field.control) field.control.replaceWith(control);
    else field.slot.append(control);
    field.control = control;
  };
  const tell = (field, problem) => {
    field.problem.textContent = problem;
    if (problem) field.control.setAttribute('aria-invalid', 'true');
    else field.control.removeAttribute('aria-invalid');
  };
  const addField = (name, index) => {
    const field = newField(card, name, index);
    form.fields.push(field);
    field.slot = el('div', { class: 'rc-slot' });
    field.diff = el('div', { class: 'rc-change', hidden: true });
    field.warning = el('div', { class: 'rc-warning', hidden: true });
    field.problem = el('div', { class: 'rc-problem', id: `${field.id}-problem`, role: 'alert' });
    field.clean = el('button', { type: 'button', class: 'rc-small', hidden: true, on: { click: () => {
      field.control.value = withoutHidden(field.control.value);
      refresh();
      field.control.focus();
    } } }, 'Remove hidden characters');
    place(field);
    field.first = field.control.value;
    const label = el('label', { for: field.id }, marked(labelOf(field.schema, name)), field.required ? null : el('span', { class: 'rc-soft' }, ' optional'));
    const help = field.schema.description ? el('div', { class: 'rc-soft' }, marked(field.schema.description)) : null;
    form.node.append(el('div', { class: 'rc-field' }, label, help, field.slot, field.warning, field.clean, field.problem, field.diff));
  };
  fieldNames(card).forEach(addField);
  form.read = () => {
    const result = { changes: {}, removed: [], problems: {} };
    for (const field of form.fields) {
      const change = changeOf(field);
      if (change.problem) result.problems[field.name] = change.problem;
      else if (change.removed) result.removed.push(field.name);
      else if (change.json !== undefined) result.changes[field.name] = change.json;
    }
    result.changed = Object.keys(result.changes).length + result.removed.length;
    return result;
  };
  form.tell = (problems) => {
    const known = form.fields.filter((field) => problems[field.name]);
    form.fields.forEach((field) => tell(field, problems[field.name] || ''));
    if (known.length) known[0].control.focus();
    return Object.entries(problems).filter(([name]) => !form.fields.some((field) => field.name === name)).map(([, text]) => text);
  };
  form.draft = () => Object.fromEntries(form.fields.map((field) => [field.name, field.control.value]));
  form.restore = (draft) => {
    form.fields.forEach((field) => {
      if (!(field.name in draft)) return;
      field.control.value = draft[field.name];
      rebuildLater(field);
    });
    refresh();
  };
  refresh();
  return form;
};
