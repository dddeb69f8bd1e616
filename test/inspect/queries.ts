import { quoteName } from '../../services/sql/index.ts'
import { Choices } from './choices.ts'
import {
  baseTable,
  column,
  Expressions,
  KINDS,
  type Known,
  type Relation,
  type Scope,
  type Sentence
} from './expressions.ts'
import type { Kind, Unlisted } from './extract.ts'

interface Source {
  text: string
  relations: Relation[]
}

const DEPTH = 3

/** A statement that the numbers choose, and whether it must be refused before anything binds it. */
export function statementOf(
  numbers: ArrayLike<number>,
  unlisted: Unlisted
): { sql: string; forbidden: boolean } {
  const sentence: Sentence = { choices: new Choices(numbers), unlisted, forbidden: false }
  const queries = new Queries(sentence)
  const sql = disguised(sentence, queries.statement())
  return { sql, forbidden: sentence.forbidden }
}

/** The same text with comments, line ends and other blanks where a blank may stand. */
function disguised(s: Sentence, sql: string): string {
  if (!s.choices.rarely(6)) return sql
  const pieces = sql.split(/('(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)/)
  return pieces
    .map((piece, index) =>
      index % 2 === 1
        ? piece
        : piece.replaceAll(/ /g, () =>
            s.choices.pick(' ', '/* ; DROP TABLE patients */', ' -- ; */ \n', '\t\r\n', '/* é→𝄞 */')
          )
    )
    .join('')
}

class Queries {
  private readonly expressions: Expressions
  private names = 0

  constructor(private readonly s: Sentence) {
    this.expressions = new Expressions(s, (_, scope, kind) => this.query(scope, [kind]).text)
  }

  statement(): string {
    const kinds = this.kinds()
    const { text } = this.query({ relations: [], ctes: [], depth: DEPTH }, kinds)
    if (!this.s.choices.rarely(25)) return this.s.choices.rarely(10) ? `${text};` : text
    return this.noSelect(text)
  }

  /** What is no single SELECT, around or beside one that is. */
  private noSelect(text: string): string {
    this.s.forbidden = true
    return this.s.choices.pick(
      `EXPLAIN ${text}`,
      `${text}; ${text}`,
      `COPY (${text}) TO '/tmp/x.csv'`,
      `CREATE TABLE x AS ${text}`,
      `CREATE MACRO m() AS TABLE ${text}`,
      `PREPARE q AS ${text}`,
      'EXECUTE q',
      `DESCRIBE ${text}`,
      `SUMMARIZE ${text}`,
      'PRAGMA table_info(patients)',
      "SET memory_limit = '1TB'",
      "ATTACH '/tmp/x.db' AS x",
      'DETACH memory',
      'INSTALL httpfs',
      'CALL duckdb_settings()',
      'SHOW TABLES',
      'SHOW ALL TABLES',
      "EXPORT DATABASE '/tmp/x'",
      'VACUUM',
      'CHECKPOINT',
      'ROLLBACK',
      `${text}; ROLLBACK`,
      'DELETE FROM patients',
      `INSERT INTO patients ${text}`,
      'PIVOT patients ON sex USING sum(visits)',
      'UNPIVOT patients ON id, visits INTO NAME n VALUE v',
      `WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) ${text}`,
      'FROM duckdb_settings()',
      `EXPLAIN ANALYZE ${text}`
    )
  }

  private kinds(): Kind[] {
    const [first, ...others] = KINDS
    return Array.from({ length: 1 + this.s.choices.below(3) }, () => this.s.choices.pick(first, ...others))
  }

  /** A query with one column for each kind, and what it is called. */
  private query(outer: Scope, kinds: readonly Kind[]): { text: string; columns: Known[] } {
    const { choices } = this.s
    const simple = choices.exhausted || outer.depth <= 0
    const scope = { ...outer, depth: outer.depth - 1 }
    if (simple || !choices.rarely(5)) return this.select(scope, kinds)
    return choices.branch(
      () => this.withTables(scope, kinds),
      () => this.setOperation(scope, kinds)
    )
  }

  private withTables(scope: Scope, kinds: readonly Kind[]): { text: string; columns: Known[] } {
    const { choices } = this.s
    // named like a table of the extract: from here on the name means another thing
    const name = choices.pick(
      'x',
      'patients',
      'wages',
      'cte "q"',
      'duckdb_settings',
      'Größe',
      this.s.unlisted.table
    )
    const inner = this.query(scope, this.kinds())
    const renamed = choices.rarely(4)
      ? inner.columns.map(({ kind }, index) => ({ name: `r${index}`, kind }))
      : inner.columns
    const list = renamed === inner.columns ? '' : `(${renamed.map(({ name: one }) => one).join(', ')})`
    const how = choices.pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ')
    const relation = { alias: quoteName(name), columns: renamed }
    const others = scope.ctes.filter((one) => one.alias.toLowerCase() !== relation.alias.toLowerCase())
    const { text, columns } = this.select({ ...scope, ctes: [relation, ...others] }, kinds)
    return { text: `WITH ${quoteName(name)}${list} AS ${how}(${inner.text}) ${text}`, columns }
  }

  private setOperation(scope: Scope, kinds: readonly Kind[]): { text: string; columns: Known[] } {
    const first = this.select(scope, kinds)
    const second = this.query(scope, kinds)
    const word = this.s.choices.pick(
      'UNION ALL',
      'UNION',
      'EXCEPT',
      'INTERSECT',
      'UNION ALL BY NAME',
      'EXCEPT ALL'
    )
    return { text: `(${first.text}) ${word} (${second.text})`, columns: first.columns }
  }

  private select(outer: Scope, kinds: readonly Kind[]): { text: string; columns: Known[] } {
    const { choices } = this.s
    const from = this.from(outer)
    // the names of a query around this one are there too, behind its own
    const scope: Scope = { ...outer, relations: from.relations }
    const wide: Scope = choices.rarely(3)
      ? { ...scope, relations: [...from.relations, ...outer.relations] }
      : scope
    const where = choices.rarely(2) ? ` WHERE ${this.expressions.of('truth', wide)}` : ''
    if (choices.rarely(9)) return this.star(from, where, kinds)
    if (choices.rarely(5)) return this.grouped(from.text, scope, where, kinds)
    const columns = this.named(kinds)
    const windowed = choices.rarely(8)
    const items = columns.map(({ name, kind }) => {
      const value =
        windowed && kind === 'number' ? this.expressions.window(scope) : this.expressions.of(kind, wide)
      return `${value} AS ${quoteName(name)}`
    })
    const head = choices.rarely(8) ? 'DISTINCT ' : ''
    const qualify = choices.rarely(14) ? ` QUALIFY ${this.expressions.window(scope)} IS NOT NULL` : ''
    const body = choices.rarely(10)
      ? `FROM ${from.text} SELECT ${head}${items.join(', ')}`
      : `SELECT ${head}${items.join(', ')} FROM ${from.text}`
    return { text: `${body}${where}${qualify}${this.order(scope, columns)}`, columns }
  }

  private named(kinds: readonly Kind[]): Known[] {
    return kinds.map((kind, index) => {
      this.names += 1
      return {
        name: this.s.choices.pick(
          `c${this.names}`,
          `sex${this.names}`,
          index === 0 ? 'id' : `c${this.names}`
        ),
        kind
      }
    })
  }

  /** Stars and what they leave out, replace and choose; as a column of a sub-query they come in parentheses of their own. */
  private star(from: Source, where: string, kinds: readonly Kind[]): { text: string; columns: Known[] } {
    const { choices, unlisted } = this.s
    const scope: Scope = { relations: from.relations, ctes: [], depth: 1 }
    const [first] = from.relations
    const some = column(this.s, scope, 'text') ?? 'id'
    const bare = first?.columns[0] === undefined ? 'id' : quoteName(first.columns[0].name)
    const item = choices.pick(
      '*',
      `${first?.alias ?? 'x'}.*`,
      `* EXCLUDE (${bare})`,
      `* EXCLUDE (${unlisted.column})`,
      `* REPLACE (upper(${some}) AS ${bare})`,
      `* REPLACE (1 AS ${unlisted.column})`,
      `* RENAME (${bare} AS renamed)`,
      `* RENAME (${unlisted.column} AS renamed)`,
      "COLUMNS('i.*|s.*')",
      `COLUMNS('${unlisted.column}')`,
      `COLUMNS('id|${unlisted.column}')`,
      `COLUMNS(c -> c LIKE '%d' OR c = '${unlisted.column}')`,
      `COLUMNS(['id', '${unlisted.column}'])`,
      'max(COLUMNS(*))',
      "* LIKE 's%'",
      `* NOT LIKE '${unlisted.column}'`,
      "* SIMILAR TO 's.*'",
      'COLUMNS(c -> random() > 0.5)',
      "struct_pack(*COLUMNS('i.*')) AS packed",
      'COLUMNS(* EXCLUDE (id)) IS NULL',
      `${first?.alias ?? 'x'} AS whole`
    )
    if (item.includes('random')) this.s.forbidden = true
    const columns = (first?.columns ?? []).slice(0, kinds.length)
    return {
      text: `SELECT ${item} FROM ${from.text}${where}`,
      columns: columns.length === 0 ? [{ name: 'id', kind: 'number' }] : columns
    }
  }

  private grouped(
    from: string,
    scope: Scope,
    where: string,
    kinds: readonly Kind[]
  ): { text: string; columns: Known[] } {
    const { choices } = this.s
    const [kind = 'number', ...others] = kinds
    const key = this.expressions.of(kind, { ...scope, depth: 0 })
    const columns = this.named(kinds)
    const values = others.map(() => this.expressions.aggregate(scope))
    const items = [key, ...values].map(
      (value, index) => `${value} AS ${quoteName(columns[index]?.name ?? 'v')}`
    )
    const by = choices.pick(
      'GROUP BY 1',
      'GROUP BY ALL',
      `GROUP BY ${key}`,
      `GROUP BY CUBE (${key})`,
      `GROUP BY GROUPING SETS ((${key}), ())`
    )
    const having = choices.rarely(4) ? ` HAVING ${this.expressions.aggregate(scope)} IS NOT NULL` : ''
    return { text: `SELECT ${items.join(', ')} FROM ${from}${where} ${by}${having}`, columns }
  }

  private order(scope: Scope, columns: readonly Known[]): string {
    const { choices } = this.s
    if (!choices.rarely(5)) return ''
    const name = quoteName(columns[0]?.name ?? 'id')
    const by = choices.branch(
      () => name,
      () => '1',
      () => 'ALL',
      () => this.expressions.of('number', scope),
      () => `${this.expressions.of('text', scope)} COLLATE NOCASE`,
      () => this.s.unlisted.column
    )
    const limit = choices.branch(
      () => '',
      () => ' LIMIT 3',
      () => ' LIMIT 50%',
      () => ` LIMIT 4 OFFSET ${this.expressions.of('number', { relations: [], ctes: scope.ctes, depth: 1 })}`,
      () => ` LIMIT (${this.query({ ...scope, relations: [], depth: 0 }, ['number']).text} LIMIT 1)`
    )
    return ` ORDER BY ${by} ${choices.pick('', 'DESC', 'NULLS FIRST')}${limit}`
  }

  private from(scope: Scope): Source {
    const left = this.source(scope)
    const { choices } = this.s
    if (choices.exhausted || scope.depth <= 0 || !choices.rarely(3)) return left
    if (choices.rarely(8)) {
      const lateral = this.query({ ...scope, relations: left.relations, depth: 1 }, this.kinds())
      return {
        text: `${left.text}, ${choices.pick('LATERAL ', '')}(${lateral.text}) AS lat`,
        relations: [...left.relations, { alias: 'lat', columns: lateral.columns }]
      }
    }
    const right = this.source(scope)
    const relations = [...left.relations, ...right.relations]
    const inside: Scope = { ...scope, relations, depth: 1 }
    const both = (word: string, after = ''): Source => ({
      text: `${left.text} ${word} ${right.text}${after}`,
      relations
    })
    return choices.branch(
      () => both('JOIN', ` ON ${this.expressions.of('truth', inside)}`),
      () => both(choices.pick('JOIN', 'LEFT JOIN', 'FULL JOIN'), ' USING (id)'),
      () => both(','),
      () => both('CROSS JOIN'),
      () => both(choices.pick('NATURAL JOIN', 'NATURAL LEFT JOIN')),
      () => ({ ...both(choices.pick('SEMI JOIN', 'ANTI JOIN'), ' USING (id)'), relations: left.relations }),
      () => both('POSITIONAL JOIN'),
      () => both('LEFT JOIN', ` ON ${this.expressions.of('truth', inside)}`),
      () => both('JOIN', ` USING (${choices.pick(this.s.unlisted.column, 'sex', '"ID"')})`),
      () => both('ASOF JOIN', this.asof(left, right))
    )
  }

  private asof(left: Source, right: Source): string {
    const of = ({ relations }: Source) => column(this.s, { relations, ctes: [], depth: 0 }, 'number') ?? 'id'
    return ` ON ${of(left)} >= ${of(right)}`
  }

  private source(scope: Scope): Source {
    const { choices } = this.s
    if (choices.rarely(40)) return this.forbiddenSource()
    const [cte] = scope.ctes
    if (cte !== undefined && choices.rarely(2)) return { text: cte.alias, relations: [cte] }
    if (!choices.exhausted && scope.depth > 0 && choices.rarely(5)) {
      const inner = this.query(scope, this.kinds())
      this.names += 1
      const alias = `s${this.names}`
      return { text: `(${inner.text}) AS ${alias}`, relations: [{ alias, columns: inner.columns }] }
    }
    if (choices.rarely(12)) {
      const columns: Known[] = [
        { name: 'id', kind: 'number' },
        { name: 'sex', kind: 'text' }
      ]
      return { text: "(VALUES (1, 'f'), (2, NULL)) AS v(id, sex)", relations: [{ alias: 'v', columns }] }
    }
    const { text, relation } = baseTable(this.s)
    if (shadowed(scope, relation)) return { text: 'patients AS p', relations: [{ ...relation, alias: 'p' }] }
    if (choices.rarely(3)) return { text, relations: [relation] }
    this.names += 1
    const alias = choices.pick(`t${this.names}`, `"T ${this.names}"`, `"é${this.names}"`, 'wages', 'care')
    if (!choices.rarely(8))
      return { text: `${text} AS ${alias}`, relations: [{ alias, columns: relation.columns }] }
    const columns = relation.columns.map((one, index) => (index < 2 ? { ...one, name: `n${index}` } : one))
    return { text: `${text} AS ${alias}(n0, n1)`, relations: [{ alias, columns }] }
  }

  private forbiddenSource(): Source {
    this.s.forbidden = true
    const { table } = this.s.unlisted
    const text = this.s.choices.pick(
      "read_csv('/etc/passwd')",
      "'/etc/passwd'",
      "'in/x.parquet'",
      "'https://example.org/x.parquet'",
      '"x.csv"',
      'range(3)',
      'duckdb_settings()',
      'duckdb_columns',
      'information_schema.columns',
      'pg_catalog.pg_class',
      'sqlite_master',
      "query('SELECT 1')",
      "query_table('patients')",
      "glob('*')",
      'unnest([1, 2])',
      'main.patients',
      'memory.main.patients',
      '"dynamos shadow".t0',
      'memory."dynamos shadow".t0',
      `care.${table}`,
      'notes',
      `(PIVOT patients ON sex IN ('f') USING count(*))`,
      '(UNPIVOT wages ON id, wage INTO NAME n VALUE v)',
      '(DESCRIBE patients)',
      '(SUMMARIZE patients)',
      '(SHOW TABLES)',
      'patients TABLESAMPLE 50%',
      'patients AT (VERSION => 1)',
      "pragma_table_info('patients')",
      'seq_scan(patients)',
      'repeat_row(1, num_rows := 3)',
      'care.wages'
    )
    return { text, relations: [{ alias: '', columns: [{ name: 'id', kind: 'number' }] }] }
  }
}

/** Whether a name without a qualifier means something else here. */
function shadowed({ ctes }: Scope, { alias }: Relation): boolean {
  return ctes.some((cte) => cte.alias.toLowerCase() === alias.toLowerCase())
}
