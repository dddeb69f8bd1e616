import { quoteName } from '../../services/sql/index.ts'
import type { Choices } from './choices.ts'
import { EXTRACT, type Kind, type Unlisted } from './extract.ts'

export interface Known {
  name: string
  kind: Kind
}

/** A relation that expressions may name, as they would write it. */
export interface Relation {
  /** Already quoted; empty: it has no name. */
  alias: string
  columns: Known[]
}

export interface Scope {
  relations: readonly Relation[]
  ctes: readonly Relation[]
  depth: number
}

/** What the grammar knows of the text that it makes. */
export interface Sentence {
  choices: Choices
  unlisted: Unlisted
  /** The text calls something that is on no list, or is no single SELECT: it must be refused before it is bound. */
  forbidden: boolean
}

/** A query in a place where one column of a kind is expected. */
export type SubQuery = (sentence: Sentence, scope: Scope, kind: Kind) => string

const FORBIDDEN_CALLS = [
  'random()',
  "getenv('HOME')",
  "current_setting('memory_limit')",
  "read_text('/etc/passwd')",
  "repeat('x', 3)",
  'now()',
  'today()',
  'current_timestamp',
  'session_user',
  'list_transform([1], x -> x + 1)',
  '[x FOR x IN [1, 2]]',
  'list_reduce([1, 2], (x, y) -> x + y)',
  "nextval('s')",
  "error('x')",
  "getvariable('x')",
  "query('SELECT 1')",
  'unnest([1, 2])',
  'generate_series(1, 3)',
  'system.main.abs(1)',
  "lpad('x', 9, 'y')",
  "format('{:9}', 1)",
  'MAP {1: 2}',
  'uuid()',
  "sha256('x')",
  "json_serialize_sql('SELECT 1')",
  'txid_current()',
  'version()',
  "in_search_path('memory', 'main')",
  "duckdb_settings('x')",
  '?',
  '$1',
  '$name'
]

export function column(s: Sentence, scope: Scope, kind: Kind): string | undefined {
  const found = scope.relations.flatMap(({ alias, columns }) =>
    columns.filter((one) => one.kind === kind).map(({ name }) => ({ alias, name }))
  )
  const [first, ...others] = found
  if (first === undefined) return undefined
  const { alias, name } = s.choices.pick(first, ...others)
  const quoted = written(s, name)
  return alias === '' || s.choices.rarely(4) ? quoted : `${alias}.${quoted}`
}

/** A name in one of the ways in which it means the same. */
export function written(s: Sentence, name: string): string {
  if (!/^[a-z_]+$/.test(name) || name === 'select') return quoteName(name)
  return s.choices.pick(quoteName(name), name, name.toUpperCase(), quoteName(name.toUpperCase()))
}

/** A column that is not there, wherever a column can be named. */
function unlisted(s: Sentence, scope: Scope): string {
  const { column: name } = s.unlisted
  const alias = scope.relations.find((relation) => relation.alias !== '')?.alias ?? '"patients"'
  return s.choices.pick(
    name,
    `${alias}.${quoteName(name)}`,
    `(${alias}).${name}`,
    `${alias}['${name}']`,
    `struct_extract(${alias}, '${name}')`,
    `coalesce(*COLUMNS(['id', '${name}']))`,
    `care.patients.${name}`,
    `memory.care.patients.${name}`,
    quoteName(name.toUpperCase()),
    `place.${name}`
  )
}

function literal(s: Sentence, kind: Kind): string {
  switch (kind) {
    case 'number':
      return s.choices.pick('1', '2', '0', '-3', '1.5', '1e3', 'NULL', '2000')
    case 'text':
      return s.choices.pick(
        "'f'",
        "'m'",
        "'12'",
        "'it''s; DROP'",
        "'é→𝄞'",
        '$$/* x */$$',
        `'${s.unlisted.column}'`,
        "''"
      )
    case 'date':
      return s.choices.pick("DATE '2000-01-01'", "CAST('1999-12-31' AS DATE)", "'1980-05-05'::DATE")
    case 'truth':
      return s.choices.pick('TRUE', 'FALSE', 'NULL::BOOLEAN')
    case 'struct':
      return "{'town': 'x', 'zip': 3}"
    case 'list':
      return "['a', 'b']"
  }
}

/** An expression of a kind over what a scope has; `query` makes the queries inside it. */
export class Expressions {
  constructor(
    private readonly s: Sentence,
    private readonly query: SubQuery
  ) {}

  of(kind: Kind, outer: Scope): string {
    const { choices } = this.s
    if (choices.rarely(60)) {
      this.s.forbidden = true
      const [first = '', ...others] = FORBIDDEN_CALLS
      return choices.pick(first, ...others)
    }
    if (choices.rarely(50)) return unlisted(this.s, outer)
    const leaf = () => column(this.s, outer, kind) ?? literal(this.s, kind)
    if (outer.depth <= 0 || choices.exhausted) return leaf()
    const scope = { ...outer, depth: outer.depth - 1 }
    if (choices.below(3) === 0) return leaf()
    if (choices.rarely(12)) return this.general(kind, scope)
    switch (kind) {
      case 'number':
        return this.number(scope)
      case 'text':
        return this.text(scope)
      case 'date':
        return this.date(scope)
      case 'truth':
        return this.truth(scope)
      case 'struct':
        return choices.branch(
          leaf,
          () => `{'town': ${this.of('text', scope)}, 'zip': ${this.of('number', scope)}}`
        )
      case 'list':
        return choices.branch(leaf, () => `[${this.of('text', scope)}, ${this.of('text', scope)}]`)
    }
  }

  /** What makes a value of any kind. */
  private general(kind: Kind, scope: Scope): string {
    const of = (one: Kind) => this.of(one, scope)
    return this.s.choices.branch(
      () => `CASE WHEN ${of('truth')} THEN ${of(kind)} ELSE ${of(kind)} END`,
      () => `coalesce(${of(kind)}, ${of(kind)})`,
      () => `(SELECT ${of(kind)})`,
      // columns of one table, and functions of SQL wherever they are none
      () => this.s.choices.pick('user', 'current_date', '"current_date"', 'USER'),
      () => `(${this.query(this.s, scope, kind)} LIMIT 1)`,
      () => `if(${of('truth')}, ${of(kind)}, ${of(kind)})`,
      () => `nullif(${of(kind)}, ${of(kind)})`,
      () => `try(${of(kind)})`,
      () => `struct_extract({'v': ${of(kind)}, 'w': ${of('number')}}, 'v')`,
      () => `({'v': ${of(kind)}}).v`,
      () => `[${of(kind)}, ${of(kind)}][1]`,
      () => `greatest(${of(kind)}, ${of(kind)})`
    )
  }

  private number(scope: Scope): string {
    const n = () => this.of('number', scope)
    return this.s.choices.branch(
      () => `(${n()} ${this.s.choices.pick('+', '-', '*', '%', '//', '&')} ${n()})`,
      () => `abs(${n()})`,
      () => `length(${this.of('text', scope)})`,
      () => `date_part('year', ${this.of('date', scope)})`,
      () => `extract(month FROM ${this.of('date', scope)})`,
      () => `round(${n()}, 1)`,
      () => `CAST(${this.of('text', scope)} AS BIGINT)`,
      () => `TRY_CAST(${this.of('text', scope)} AS BIGINT)`,
      () => `(${this.of('struct', scope)}).zip`,
      () => `struct_extract(${this.of('struct', scope)}, 'zip')`,
      () => `date_diff('day', ${this.of('date', scope)}, ${this.of('date', scope)})`,
      () => `levenshtein(${this.of('text', scope)}, ${this.of('text', scope)})`,
      () => `len(${this.of('list', scope)})`,
      () => `CAST(${this.of('truth', scope)} AS BIGINT)`
    )
  }

  private text(scope: Scope): string {
    const t = () => this.of('text', scope)
    return this.s.choices.branch(
      () => `upper(${t()})`,
      () => `(${t()} || ${t()})`,
      () => `substring(${t()}, 1, 2)`,
      () => `${t()}[1:2]`,
      () => `CAST(${this.of('number', scope)} AS VARCHAR)`,
      () => `(${this.of('struct', scope)}).town`,
      () => `${this.of('list', scope)}[1]`,
      () => `replace(${t()}, ${t()}, ${t()})`,
      () => `typeof(${this.of('date', scope)})`,
      () => `strftime(${this.of('date', scope)}, '%Y')`,
      () => `regexp_replace(${t()}, '[a-f]', 'x')`,
      () => `concat(${t()}, ${this.of('number', scope)})`,
      () => `split_part(${t()}, 'a', 1)`,
      () => `CAST(${this.of('struct', scope)} AS VARCHAR)`
    )
  }

  private date(scope: Scope): string {
    const d = () => this.of('date', scope)
    return this.s.choices.branch(
      () => `CAST(${d()} + INTERVAL 1 MONTH AS DATE)`,
      () => `CAST(date_trunc('year', ${d()}) AS DATE)`,
      () => `last_day(${d()})`,
      () => `make_date(2000, 1, 1 + abs(${this.of('number', scope)} % 20)::BIGINT)`,
      () => `TRY_CAST(${this.of('text', scope)} AS DATE)`
    )
  }

  private truth(scope: Scope): string {
    const kind = this.s.choices.pick<Kind>('number', 'text', 'date')
    const x = () => this.of(kind, scope)
    const t = () => this.of('truth', scope)
    const query = (one: Kind) => this.query(this.s, scope, one)
    return this.s.choices.branch(
      () => `(${x()} ${this.s.choices.pick('=', '<', '>=', '<>', 'IS DISTINCT FROM')} ${x()})`,
      () => `(${t()} ${this.s.choices.pick('AND', 'OR')} ${t()})`,
      () => `(NOT ${t()})`,
      () => `(${x()} IS ${this.s.choices.pick('NULL', 'NOT NULL')})`,
      () => `(${x()} IN (${x()}, ${x()}))`,
      () => `(${x()} ${this.s.choices.pick('IN', 'NOT IN')} (${query(kind)}))`,
      () => `EXISTS (${query(kind)})`,
      () => `(${x()} = ANY (${query(kind)}))`,
      () => `(${x()} > ALL (${query(kind)}))`,
      () => `(${x()} BETWEEN ${x()} AND ${x()})`,
      () =>
        `(${this.of('text', scope)} ${this.s.choices.pick('LIKE', 'ILIKE', 'NOT LIKE', 'SIMILAR TO', 'GLOB')} ${this.of('text', scope)})`,
      () => `regexp_matches(${this.of('text', scope)}, 'f|m')`,
      () => `((${x()}, ${this.of('number', scope)}) = (${x()}, ${this.of('number', scope)}))`,
      () => `list_contains(${this.of('list', scope)}, ${this.of('text', scope)})`
    )
  }

  aggregate(scope: Scope): string {
    const n = () => this.of('number', scope)
    const t = () => this.of('text', scope)
    const filter = this.s.choices.rarely(4) ? ` FILTER (WHERE ${this.of('truth', scope)})` : ''
    return `${this.s.choices.branch(
      () => 'count(*)',
      () => `sum(${n()})`,
      () => `count(DISTINCT ${t()})`,
      () => `max(${this.of('date', scope)})`,
      () => `string_agg(${t()}, ',' ORDER BY ${n()}, ${t()})`,
      () => `arg_max(${t()}, ${n()})`,
      () => `list(${t()} ORDER BY ${t()})`,
      () => `quantile_cont(${n()}, 0.5)`,
      () => `corr(${n()}, ${n()})`,
      () => `bool_or(${this.of('truth', scope)})`,
      () => `histogram(${t()})`
    )}${filter}`
  }

  window(scope: Scope): string {
    const call = this.s.choices.branch(
      () => 'row_number()',
      () => `sum(${this.of('number', scope)})`,
      () => `lag(${this.of('text', scope)})`,
      () => `first_value(${this.of('number', scope)})`,
      () => 'rank()'
    )
    const partition = this.s.choices.rarely(3) ? `PARTITION BY ${this.of('text', scope)} ` : ''
    const frame = this.s.choices.rarely(4) ? ' ROWS BETWEEN 1 PRECEDING AND CURRENT ROW' : ''
    return `${call} OVER (${partition}ORDER BY ${this.of('number', scope)}, ${this.of('text', scope)}${frame})`
  }
}

export const KINDS: readonly [Kind, ...Kind[]] = ['number', 'text', 'date', 'truth', 'struct', 'list']

/** The tables of the extract, each as one may write it. */
export function baseTable(s: Sentence): { text: string; relation: Relation } {
  const [first, ...others] = EXTRACT
  const table = s.choices.pick(first, ...others)
  const alone = table.name !== 'notes'
  const name = written(s, table.name)
  const text = alone && !s.choices.rarely(3) ? name : `${written(s, table.dataset)}.${name}`
  return {
    text,
    relation: { alias: quoteName(table.name), columns: table.fields.map((one) => ({ ...one })) }
  }
}
