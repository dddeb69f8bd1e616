import { stringify } from 'yaml'

/** What an agreement is drafted from: who works together how, and with what to begin. */
export interface Template {
  name: string
  /** What it is for, in one line. */
  about: string
  archetypes: readonly string[]
  algorithms: readonly string[]
  /** Whether somebody besides the provider has to hold the data. */
  holders: boolean
  /** Where people of the provider usually want to see who asks, before they answer. */
  approval?: { when: 'firstTime' | 'always'; within: string; why: string }
  /** Further clauses, each with why it stands there. */
  clauses: readonly { key: string; value: unknown; why: string }[]
}

const SANDBOX = { key: 'sandbox', value: 'required', why: 'Wherever the data goes, jobs run in sandboxes.' }
const STOP = {
  key: 'revocation',
  value: { effect: 'stop', notice: 'PT0S' },
  why: 'How each party can end it. finish lets what runs go on; notice is how long before it ends.'
}
const DAILY = { key: 'limits', value: { requests: 100, per: 'P1D' }, why: 'Requests of one person in a day.' }

export const TEMPLATES: readonly Template[] = [
  {
    name: 'compute-to-data',
    about: 'each provider computes by itself, only results leave it',
    archetypes: ['computeToData'],
    algorithms: ['average', 'histogram'],
    holders: false,
    clauses: [DAILY, SANDBOX, STOP]
  },
  {
    name: 'trusted-third-party',
    about: 'rows of several providers are put together at a party that all trust, which keeps nothing',
    archetypes: ['dataThroughTtp'],
    algorithms: ['average', 'histogram'],
    holders: true,
    clauses: [
      {
        key: 'cache',
        value: { extract: 'none', results: 'none' },
        why: 'Nobody but the provider keeps anything.'
      },
      DAILY,
      SANDBOX,
      STOP
    ]
  },
  {
    name: 'universities',
    about: 'several universities let each other’s researchers ask about people',
    archetypes: ['computeToData', 'dataThroughTtp'],
    algorithms: ['average', 'histogram', 'crosstab', 'regression'],
    holders: true,
    approval: {
      when: 'firstTime',
      within: 'P3D',
      why: 'Somebody of the provider looks at the first request of each person for a purpose and an algorithm.'
    },
    clauses: [
      { key: 'limits', value: { requests: 50, per: 'P1D' }, why: 'Requests of one person in a day.' },
      SANDBOX,
      {
        key: 'revocation',
        value: { effect: 'finish', notice: 'P7D' },
        why: 'A study that runs may finish; a week to plan for the next.'
      }
    ]
  },
  {
    name: 'airlines',
    about: 'competitors have figures worked out at a third party and see no rows of each other',
    archetypes: ['dataThroughTtp'],
    algorithms: ['average', 'histogram', 'topk'],
    holders: true,
    approval: {
      when: 'always',
      within: 'P1D',
      why: 'Somebody of the provider looks at each request before it is answered: whoever asks competes.'
    },
    clauses: [
      { key: 'output', value: { maxRows: 1000 }, why: 'A result is a summary: it has few rows.' },
      { key: 'onward', value: 'none', why: 'Results stay with the recipients.' },
      { key: 'limits', value: { requests: 20, per: 'P1D' }, why: 'Requests of one person in a day.' },
      SANDBOX,
      STOP
    ]
  },
  {
    name: 'buildings',
    about: 'owners of buildings let others learn from meters and sensors, at the owner’s place',
    archetypes: ['computeToData'],
    algorithms: ['average', 'describe', 'correlation', 'regression'],
    holders: false,
    clauses: [
      { key: 'limits', value: { requests: 500, per: 'P1D' }, why: 'Requests of one person in a day.' },
      SANDBOX,
      {
        key: 'revocation',
        value: { effect: 'finish', notice: 'P1D' },
        why: 'What runs may finish; it ends a day after a party said so.'
      }
    ]
  }
]

/** What is known of the dataset's tables, for the columns of a draft. */
export interface DescribedTable {
  name: string
  subject?: string
  columns: readonly { name: string; sensitive?: boolean }[]
}

export interface DraftAnswers {
  template: Template
  name: string
  provider: string
  dataset: string
  /** Organisations, and users as `name@domain`. */
  consumers: readonly string[]
  purposes: readonly string[]
  algorithms?: readonly string[]
  computeProviders: readonly string[]
  /** Users of the provider who approve requests; nobody: requests are answered without people. */
  approvers?: readonly string[]
  from: string
  until: string
  /** Empty when nobody could be asked. */
  tables: readonly DescribedTable[]
}

function line(key: string, value: unknown): string {
  return stringify({ [key]: value }, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false })
    .trim()
    .replace(/^\{(?<inner>.*)\}$/s, '$<inner>')
}

function tableLines(tables: readonly DescribedTable[]): string[] {
  if (tables.length === 0)
    return [
      '# What they may see: tables and columns, or "*" for all. None yet, so nothing is permitted. For example:',
      '#   Personen: {columns: [Geslacht, Gebdat], where: "Peildat >= 20170101"}',
      'tables: {}'
    ]
  const lines = [
    '# What they may see. Columns that the dataset calls sensitive are left out; `where` limits the rows of a table.',
    'tables:'
  ]
  for (const { name, columns } of tables) {
    const open = columns.filter(({ sensitive }) => sensitive !== true).map((column) => column.name)
    const closed = columns.filter(({ sensitive }) => sensitive === true).map((column) => column.name)
    if (closed.length > 0)
      lines.push(`  # left out: ${closed.map((one) => one.replace(/\s/g, ' ')).join(', ')}`)
    lines.push(`  ${line(name, { columns: open })}`)
  }
  return lines
}

function anonymizeLines(tables: readonly DescribedTable[]): string[] {
  const subjects = [...new Set(tables.flatMap(({ subject }) => (subject === undefined ? [] : [subject])))]
  const shown = subjects.filter((subject) =>
    tables.some(({ columns }) =>
      columns.some(({ name, sensitive }) => name === subject && sensitive !== true)
    )
  )
  if (shown.length === 0) return []
  return [
    '# Before rows leave: who a row is about becomes a pseudonym that differs from contract to contract.',
    line('anonymize', { pseudonymise: shown })
  ]
}

/** Who approves, when somebody is to; a comment otherwise, where the template thinks of it. */
function approvalLines({ template, approvers = [] }: DraftAnswers): string[] {
  const { when, within, why } = template.approval ?? {
    when: 'firstTime',
    within: 'P3D',
    why: 'Somebody of the provider looks at the first request of each person for a purpose and an algorithm.'
  }
  if (approvers.length > 0) return [`# ${why}`, line('approval', { by: approvers, when, within })]
  if (template.approval === undefined) return []
  return [
    '# No request waits for a human. If some should: who of the provider approves, which requests, how long they wait.',
    `# ${line('approval', { by: ['steward@example.org'], when, within })}`
  ]
}

/** A commented agreement, to be changed by whoever signs it: the file that `parseAgreement` reads. */
export function draftFromTemplate(answers: DraftAnswers): string {
  const { template, name, provider, dataset, consumers, purposes, computeProviders, tables } = answers
  const who = consumers.map((one) => (one.includes('@') ? { user: one } : { organisation: one }))
  const anonymize = anonymizeLines(tables)
  const held = template.holders || computeProviders.length > 0
  const parts: string[][] = [
    [
      `# Drafted from the template ${template.name}: ${template.about}.`,
      '# Nothing is open by omission. `dynamos agreement check FILE` says in words what it permits.'
    ],
    [line('agreement', name)],
    ['# Whose data.', line('provider', provider), line('dataset', dataset)],
    ['# Who may ask: everybody at an organisation, or one person.', line('consumers', who)],
    ['# What for.', line('purposes', purposes)],
    ['# Ways to work together.', line('archetypes', template.archetypes)],
    held
      ? [
          '# Who may hold the data besides the provider. Each consents per contract.',
          line('computeProviders', computeProviders)
        ]
      : ['# Nobody but the provider holds the data: no computeProviders.'],
    ['# Results go to whoever asks, unless `recipients` names others.'],
    tableLines(tables),
    ['# What may be worked out.', line('algorithms', answers.algorithms ?? template.algorithms)],
    anonymize,
    approvalLines(answers),
    ...template.clauses.map(({ key, value, why }) => [`# ${why}`, line(key, value)]),
    [
      '# From and until midnight in `timezone`; the last day is not included.',
      line('valid', { from: answers.from, until: answers.until })
    ]
  ]
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`
}
